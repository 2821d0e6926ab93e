"""How the loss fell while a version was trained, as lines to draw and rows to read."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_noop

from feedback.readings import NONE, localised, number

# Of a panel, in units of its view box; the plot leaves room for numbers left and below.
WIDTH, HEIGHT = 400, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 388, 14, 190
_MAX_DRAWN = 200  # points of a line
_LINES = {
    "loss": {
        "loss": gettext_noop("training"),
        "calibration_loss": gettext_noop("calibration photos"),
    },
    "accuracy": {
        "accuracy": gettext_noop("training"),
        "calibration_accuracy": gettext_noop("calibration photos"),
    },
}
_TITLES = {"loss": gettext_noop("Loss"), "accuracy": gettext_noop("Accuracy")}
_COLUMNS = {
    "loss": gettext_noop("loss"),
    "calibration_loss": gettext_noop("calibration loss"),
    "accuracy": gettext_noop("accuracy"),
    "calibration_accuracy": gettext_noop("calibration accuracy"),
}


@dataclass(frozen=True)
class Tick:
    at: str
    text: str


@dataclass(frozen=True)
class Line:
    """One measure over time: what it is called, its points for a polyline, its last point."""

    name: str
    points: str
    end: tuple[str, str]
    last: str


@dataclass(frozen=True)
class Panel:
    """A drawing of one measure, with what it needs around it."""

    title: str
    lines: tuple[Line, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    when: str
    is_log: bool


@dataclass(frozen=True)
class Curve:
    """Panels to see, and the same numbers as a table."""

    panels: tuple[Panel, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def training_curve(history: object) -> Curve | None:
    """The curve of a card's `training["history"]`: losses by step, or rows by epoch.

    Returns:
        None where there are not two points to join.
    """
    if not isinstance(history, Sequence) or isinstance(history, str):
        return None
    if any(isinstance(row, Mapping) for row in history):
        rows = [row for row in history if isinstance(row, Mapping)]
        places = [number(row.get("epoch")) or at for at, row in enumerate(rows, 1)]
        when = gettext("epoch")
    else:
        rows = [{"loss": value} for value in history]
        places, when = [float(at) for at in range(len(rows))], gettext("step")
    measured = {
        part: {
            gettext(words): _measured(places, [row.get(name) for row in rows])
            for name, words in names.items()
            if any(number(row.get(name)) is not None for row in rows)
        }
        for part, names in _LINES.items()
    }
    panels = tuple(_panel(part, lines, when) for part, lines in measured.items() if _drawn(lines))
    return Curve(panels, *_table(places, rows, when)) if panels else None


_Points = list[tuple[float, float]]


def _measured(places: Sequence[float], values: Sequence[object]) -> _Points:
    pairs = [(place, number(value)) for place, value in zip(places, values, strict=True)]
    return [(place, value) for place, value in pairs if value is not None]


def _drawn(lines: Mapping[str, _Points]) -> bool:
    return any(len(points) > 1 for points in lines.values())


def _panel(part: str, lines: Mapping[str, _Points], when: str) -> Panel:
    everything = [point for points in lines.values() for point in points]
    first, last = min(x for x, _ in everything), max(x for x, _ in everything)
    low, high = min(y for _, y in everything), max(y for _, y in everything)
    is_log = low > 0 and high / low > 4
    ticks = _log_ticks(low, high) if is_log else _even_ticks(low, high)
    low, high = min(low, *ticks), max(high, *ticks)
    across = _scale(first, last, _LEFT, _RIGHT, is_log=False)
    up = _scale(low, high, _BOTTOM, _TOP, is_log)
    return Panel(
        title=gettext(_TITLES[part]),
        lines=tuple(_line(name, points, across, up) for name, points in lines.items()),
        across=tuple(
            Tick(_place(across(x)), localised(f"{x:g}")) for x in _across_ticks(first, last)
        ),
        up=tuple(Tick(_place(up(y)), localised(f"{y:g}")) for y in ticks),
        when=when,
        is_log=is_log,
    )


def _line(
    name: str, points: _Points, across: Callable[[float], float], up: Callable[[float], float]
) -> Line:
    shown = [points[at] for at in _thinned(len(points))]
    places = [(_place(across(x)), _place(up(y))) for x, y in shown]
    joined = " ".join(f"{x},{y}" for x, y in places)
    return Line(name, joined, places[-1], localised(f"{points[-1][1]:.4g}"))


def _table(
    places: Sequence[float], rows: Sequence[Mapping[str, Any]], when: str
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    names = [name for part in _LINES.values() for name in part]
    names = [name for name in names if any(name in row for row in rows)]
    cells = []
    for at in _thinned(len(rows)):
        values = [number(rows[at].get(name)) for name in names]
        texts = (NONE if value is None else localised(f"{value:.4f}") for value in values)
        cells.append((localised(f"{places[at]:g}"), *texts))
    return (when, *(gettext(_COLUMNS[name]) for name in names)), tuple(cells)


def _scale(
    low: float, high: float, start: float, end: float, is_log: bool
) -> Callable[[float], float]:
    """From a value to a place between `start` and `end`."""
    on = math.log if is_log else float
    span = (on(high) - on(low)) or 1.0
    return lambda value: start + (end - start) * (on(value) - on(low)) / span


def _log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 of each decade, from below the lowest value to above the highest."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    below = max(tick for tick in every if tick <= low)
    above = min(tick for tick in every if tick >= high)
    ticks = [tick for tick in every if below <= tick <= above]
    return ticks if len(ticks) <= 7 else ticks[:: math.ceil(len(ticks) / 7)]


def _even_ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers around the values."""
    span = (high - low) or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(span / 2))
    step = next(step * by for by in (1, 2, 5, 10) if span / (step * by) <= 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(at * step, 10) for at in range(first, last + 1)]


def _across_ticks(first: float, last: float) -> list[float]:
    return [tick for tick in _even_ticks(first, last) if first <= tick <= last]


def _thinned(count: int) -> list[int]:
    """At most so many indices, the last one among them."""
    if count <= _MAX_DRAWN:
        return list(range(count))
    return [round(at * (count - 1) / (_MAX_DRAWN - 1)) for at in range(_MAX_DRAWN)]


def _place(value: float) -> str:
    """As text: a template would put a thousands separator into a number."""
    return f"{value:.1f}"
