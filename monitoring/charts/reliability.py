"""How sure answers are against how often they were right: on the diagonal, both are the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from monitoring.charts.frames import HEIGHT, Frame, below, grid
from monitoring.charts.scales import in_percent
from monitoring.charts.svg import drawing, element, mark, path, text

_TICKS = [0.0, 0.25, 0.5, 0.75, 1.0]


@dataclass(frozen=True)
class Reliability:
    """Answers about equally sure: how sure, how often right, with the interval of that."""

    confidence: float
    right: float
    low: float
    high: float


def reliability(title: str, points: Sequence[Reliability]) -> SafeString:
    """A mark for each, with its interval, and the diagonal."""
    frame = Frame()
    place, across = frame.down(1.0), frame.across(0.0, 1.0)
    parts = []
    for point in points:
        x = across(point.confidence)
        ends = f"M{x:.1f} {place(point.low):.1f}V{place(point.high):.1f}"
        parts.append(
            element("path", class_="whisker s0", d=ends) + mark(0, x, place(point.right), 4.5)
        )
    diagonal = path([(across(0), place(0)), (across(1), place(1))])
    return drawing(
        HEIGHT,
        title,
        grid(frame, _TICKS, in_percent),
        element("path", class_="limit", d=diagonal),
        text(across(0.3), place(0.36), _("as sure as right"), class_="aside", text_anchor="end"),
        *parts,
        below(frame, [(across(at), in_percent(at)) for at in _TICKS]),
    )
