"""Numbers to SVG, drawn by the server: no script, no library, no inline style.

Colours are the page's (`static/insights.css`), so that a chart follows its theme. Nothing is told
by colour alone: bars have patterns, lines have dashes and a mark at their end, all have their names
beside them. A chart is a picture to a screen reader; its table stands beside it on the page.
"""

from monitoring.charts.bars import Row, bars, limits, shares
from monitoring.charts.columns import Stack, columns, histogram
from monitoring.charts.lines import Line, band, lines
from monitoring.charts.reliability import Reliability, reliability

__all__ = [
    "Line",
    "Reliability",
    "Row",
    "Stack",
    "band",
    "bars",
    "columns",
    "histogram",
    "limits",
    "lines",
    "reliability",
    "shares",
]
