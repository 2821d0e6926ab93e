"""One row for each name: how much, or which share with its interval, or how near to a limit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from monitoring.charts.scales import Scale, in_percent
from monitoring.charts.svg import WIDTH, drawing, element, group, hatched, mark, text, textures

_ROW = 46.0
_LEFT, _RIGHT = 10.0, WIDTH - 10.0


@dataclass(frozen=True)
class Row:
    """A bar.

    Attributes:
        name: What it is of.
        value: How long it is.
        words: What is said at its end.
        series: Which colour and hatch it has.
        low: The lower end of its interval, if it has one.
        high: The upper end.
        limit: What it should stay below, if anything.
        is_alarm: Whether being beyond the limit is alarming.
    """

    name: str
    value: float
    words: str
    series: int = 0
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    is_alarm: bool = False


def bars(chart: str, title: str, rows: Sequence[Row]) -> SafeString:
    """Bars from 0 to the longest one, each below its name."""
    place = Scale(0.0, max((row.value for row in rows), default=0) or 1.0, _LEFT, _RIGHT)

    def draw(row: Row, y: float) -> SafeString:
        rail = element("rect", class_="track", x=_LEFT, y=y, width=_RIGHT - _LEFT, height=14, rx=4)
        width = max(place(row.value) - _LEFT, 1.5 if row.value else 0.0)
        box = {"x": _LEFT, "y": y, "width": width, "height": 14, "rx": 4}
        return rail + hatched(chart, row.series, "rect", **box)

    return _rows(title, rows, draw, textures(chart))


def shares(title: str, rows: Sequence[Row]) -> SafeString:
    """Shares from 0 to 1 as marks, each with its interval as a line."""
    place = Scale(0.0, 1.0, _LEFT + 6, _RIGHT - 6)

    def draw(row: Row, y: float) -> SafeString:
        middle = y + 7
        rail = element("line", class_="axis", x1=_LEFT, x2=_RIGHT, y1=middle, y2=middle)
        low, high = row.low, row.high
        if low is None or high is None:
            return rail
        whisker = element(
            "path",
            class_=f"whisker s{row.series}",
            d=f"M{place(low):.1f} {y + 1:.1f}v12M{place(low):.1f} {middle:.1f}"
            f"H{place(high):.1f}M{place(high):.1f} {y + 1:.1f}v12",
        )
        return rail + whisker + mark(row.series, place(row.value), middle, 5.0)

    return _rows(title, rows, draw, _marks_of_shares(place, len(rows)))


def _marks_of_shares(place: Scale, rows: int) -> SafeString:
    height = rows * _ROW
    return group(
        *(
            element("line", x1=place(at), x2=place(at), y1=4, y2=height)
            + text(place(at), height + 16, in_percent(at), text_anchor=anchor)
            for at, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
        ),
        class_="grid",
    )


def limits(title: str, rows: Sequence[Row]) -> SafeString:
    """Bars that should not reach their limit, all limits at one place; alarming ones stand out."""
    place = Scale(0.0, 2.0, _LEFT, _RIGHT)
    limit_at = place(1.0)

    def draw(row: Row, y: float) -> SafeString:
        ratio = row.value / row.limit if row.limit else 0.0
        state = "beyond" if row.is_alarm else "within" if ratio <= 1 else "s4"
        rail = element("rect", class_="track", x=_LEFT, y=y, width=_RIGHT - _LEFT, height=14, rx=4)
        bar = element(
            "rect",
            class_=f"shape {state}",
            x=_LEFT,
            y=y,
            width=max(place(ratio) - _LEFT, 1.5),
            height=14,
            rx=4,
        )
        line = element("line", class_="limit", x1=limit_at, x2=limit_at, y1=y - 4, y2=y + 18)
        return rail + bar + line

    named = text(
        limit_at,
        len(rows) * _ROW + 16,
        pgettext("of a chart", "limit"),
        text_anchor="middle",
        class_="aside",
    )
    return _rows(title, rows, draw, named)


def _rows(
    title: str,
    rows: Sequence[Row],
    draw: Callable[[Row, float], SafeString],
    *around: SafeString,
) -> SafeString:
    parts = []
    for i, row in enumerate(rows):
        y = i * _ROW
        parts.append(
            text(_LEFT, y + 18, _shortened(row.name), class_="row-name")
            + text(_RIGHT, y + 18, row.words, text_anchor="end", class_="row-value")
            + draw(row, y + 26)
        )
    return drawing(len(rows) * _ROW + 26, title, *around, *parts)


def _shortened(name: str) -> str:
    return name if len(name) <= 32 else f"{name[:31]}…"
