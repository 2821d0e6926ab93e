"""Lines over time, broken where nothing was measured; one of them may have a band around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from monitoring.charts.frames import HEIGHT, NAMED, Frame, below, grid, names_beside
from monitoring.charts.scales import Scale, in_percent, round_ticks, time_ticks
from monitoring.charts.svg import WIDTH, drawing, element, group, mark, path, text

Point = tuple[float, float]
# So few points are marked one by one: a line of one point is invisible.
_FEW = 26


@dataclass(frozen=True)
class Line:
    """Its name, and its value in each interval; None where there is none."""

    name: str
    values: Sequence[float | None]


def lines(
    title: str,
    begins: tuple[datetime, ...],
    of: Sequence[Line],
    write: Callable[[float], str],
) -> SafeString:
    """A line for each series, from 0 up, with its name at its end.

    Args:
        title: For screen readers.
        begins: When each interval begins.
        of: The series; one that has no value at all is left out.
        write: What a value is called.
    """
    known = [value for line in of for value in line.values if value is not None]
    ticks = round_ticks(max(known, default=0))
    place, across = NAMED.down(ticks[-1]), _middles(NAMED, len(begins))
    parts, ends = [], []
    for series, line in enumerate(of):
        runs = _runs(line.values, across, place)
        if not runs:
            continue
        parts.append(_draw(series, runs))
        ends.append((series, line.name, runs[-1][-1][1]))
    return drawing(
        HEIGHT,
        title,
        grid(NAMED, ticks, write),
        *parts,
        names_beside(NAMED, ends),
        below(NAMED, [(across(i), word) for i, word in time_ticks(begins)]),
    )


def band(
    title: str,
    begins: tuple[datetime, ...],
    middle: Line,
    around: Sequence[tuple[float, float] | None],
    limit: float | None,
) -> SafeString:
    """A share over time with its interval around it, and the limit it should stay above, if any."""
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    place, across = NAMED.down(1.0), _middles(NAMED, len(begins))
    half = (NAMED.right - NAMED.left) / max(len(begins), 1) / 2 * 0.8
    whiskers = [
        element(
            "rect",
            class_="band s0",
            x=across(i) - half,
            width=2 * half,
            y=place(ends[1]),
            height=place(ends[0]) - place(ends[1]),
        )
        for i, ends in enumerate(around)
        if ends is not None
    ]
    runs = _runs(middle.values, across, place)
    return drawing(
        HEIGHT,
        title,
        grid(NAMED, ticks, in_percent),
        *whiskers,
        _limit(limit, place(limit)) if limit is not None else "",
        _draw(0, runs) if runs else "",
        below(NAMED, [(across(i), word) for i, word in time_ticks(begins)]),
    )


def _limit(limit: float, y: float) -> SafeString:
    line = element("line", class_="limit", x1=NAMED.left, x2=NAMED.right, y1=y, y2=y)
    words = _("limit %(limit)s") % {"limit": in_percent(limit)}
    return line + text(WIDTH - 2, y, words, class_="aside", text_anchor="end", dy="0.35em")


def _middles(frame: Frame, count: int) -> Scale:
    """The middle of each interval, by its number."""
    half = (frame.right - frame.left) / max(count, 1) / 2
    return Scale(0, max(count - 1, 1), frame.left + half, frame.right - half)


def _runs(values: Sequence[float | None], across: Scale, place: Scale) -> list[list[Point]]:
    """The points, split where a value is missing."""
    runs: list[list[Point]] = [[]]
    for i, value in enumerate(values):
        if value is not None:
            runs[-1].append((across(i), place(value)))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _draw(series: int, runs: list[list[Point]]) -> SafeString:
    marked = sum(map(len, runs)) <= _FEW
    return group(
        *(element("path", d=path(run), class_=f"line s{series}") for run in runs if len(run) > 1),
        *(mark(series, x, y, 3.0) for run in runs for x, y in run if marked or len(run) == 1),
    )
