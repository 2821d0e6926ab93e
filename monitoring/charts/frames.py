"""What charts over time or over a value have in common: axes, lines of the grid, names."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.safestring import SafeString

from monitoring.charts.scales import Scale
from monitoring.charts.svg import WIDTH, element, group, mark, text

HEIGHT = 260.0
# Nearer than this, two names would touch: on a phone letters are larger.
_LINE_HEIGHT = 18.0


@dataclass(frozen=True)
class Frame:
    """The rectangle that is drawn into."""

    left: float = 52.0
    right: float = WIDTH - 14.0
    top: float = 14.0
    bottom: float = HEIGHT - 36.0

    def down(self, high: float) -> Scale:
        """Places of values from 0, at the bottom, to `high`."""
        return Scale(0.0, high, self.bottom, self.top)

    def across(self, low: float, high: float) -> Scale:
        return Scale(low, high, self.left, self.right)


# With room for the names of lines at their right ends.
NAMED = Frame(right=WIDTH - 76.0)
# With room for a row of names above.
KEYED = Frame(top=34.0)


def grid(frame: Frame, ticks: list[float], write: Callable[[float], str]) -> SafeString:
    """Lines across, with their values at the left; the last tick is at the top."""
    place = frame.down(ticks[-1])
    return group(
        *(
            element("line", x1=frame.left, x2=frame.right, y1=place(at), y2=place(at))
            + text(frame.left - 7, place(at), write(at), text_anchor="end", dy="0.35em")
            for at in ticks
        ),
        class_="grid",
    )


def below(frame: Frame, words: list[tuple[float, str]]) -> SafeString:
    """Words below the drawing, each in the middle of its place, none beyond the edge."""
    return group(
        *(text(x, frame.bottom + 26, word, text_anchor=_anchor(x)) for x, word in words),
        class_="grid",
    )


def _anchor(x: float) -> str:
    return "end" if x > WIDTH - 24 else "middle"


def key(names: list[str], swatch: Callable[[int, float, float], SafeString]) -> SafeString:
    """A row of names above the drawing, each behind what its series looks like."""
    parts, x = [], 10.0
    fit = x + sum(map(_width_in_key, names)) <= WIDTH
    for series, name in enumerate(names):
        shown = name if fit or len(name) <= 14 else f"{name[:13]}…"
        parts.append(swatch(series, x, 10.0) + text(x + 18, 14, shown))
        x += _width_in_key(shown)
    return group(*parts, class_="key")


def _width_in_key(name: str) -> float:
    return 34 + 9.5 * len(name)


def names_beside(frame: Frame, ends: list[tuple[int, str, float]]) -> SafeString:
    """Names of lines at the right, each with its mark, moved apart where they would touch.

    Args:
        frame: Beside which.
        ends: Series, name, and the height at which its line ends.
    """
    parts, lowest = [], frame.top - _LINE_HEIGHT
    ordered = sorted(ends, key=lambda end: end[2])
    room = frame.bottom - _LINE_HEIGHT * (len(ordered) - 1)
    for i, (series, name, y) in enumerate(ordered):
        lowest = max(min(y, room + i * _LINE_HEIGHT), lowest + _LINE_HEIGHT)
        parts.append(
            mark(series, frame.right + 10, lowest)
            + text(frame.right + 19, lowest, name, dy="0.35em", class_=f"name t{series}")
        )
    return group(*parts)
