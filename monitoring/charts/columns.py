"""Columns: counts over time, stacked by what they are made of; and histograms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString

from monitoring.bins import Bar
from monitoring.charts.frames import HEIGHT, KEYED, Frame, below, grid, key
from monitoring.charts.scales import compact, round_ticks, time_ticks
from monitoring.charts.svg import drawing, element, hatched, textures


@dataclass(frozen=True)
class Stack:
    """A part of each column: its name, and how high it is in each."""

    name: str
    counts: Sequence[int]


def columns(
    chart: str, title: str, begins: tuple[datetime, ...], stacks: Sequence[Stack]
) -> SafeString:
    """A column for each interval, stacked.

    Args:
        chart: A name that is the only one on its page.
        title: For screen readers.
        begins: When each interval begins.
        stacks: From the bottom up.
    """
    totals = [sum(heights) for heights in zip(*(s.counts for s in stacks), strict=True)]
    ticks = round_ticks(max(totals, default=0), whole=True)
    place, across = KEYED.down(ticks[-1]), KEYED.across(0, max(len(begins), 1))
    width = (KEYED.right - KEYED.left) / max(len(begins), 1)
    gap = min(width * 0.2, 3.0)
    parts: list[SafeString] = []
    foot = [0] * len(begins)
    for series, stack in enumerate(stacks):
        for i, count in enumerate(stack.counts):
            if not count:
                continue
            top = place(foot[i] + count)
            box = {"x": across(i) + gap / 2, "width": width - gap, "y": top}
            parts.append(hatched(chart, series, "rect", **box, height=place(foot[i]) - top))
            foot[i] += count
    words = [(across(i + 0.5), word) for i, word in time_ticks(begins)]
    return drawing(
        HEIGHT,
        title,
        textures(chart),
        key([s.name for s in stacks], lambda series, x, y: _swatch(chart, series, x, y)),
        grid(KEYED, ticks, compact),
        *parts,
        below(KEYED, words),
    )


def _swatch(chart: str, series: int, x: float, y: float) -> SafeString:
    return hatched(chart, series, "rect", x=x, y=y - 6, width=12, height=12)


def histogram(
    title: str,
    bars: Sequence[Bar],
    write: Callable[[float], str],
    words: int = 5,
) -> SafeString:
    """A column for each bar, in their order and equally wide, with the edges' values below.

    Args:
        title: For screen readers.
        bars: Without gaps.
        write: What an edge is called.
        words: About so many edges are named.
    """
    frame = Frame()
    ticks = round_ticks(max((bar.count for bar in bars), default=0), whole=True)
    place, across = frame.down(ticks[-1]), frame.across(0, max(len(bars), 1))
    width = (frame.right - frame.left) / max(len(bars), 1)
    shapes = [
        element(
            "rect",
            class_="shape s0",
            x=across(i) + width * 0.06,
            width=width * 0.88,
            y=place(bar.count),
            height=frame.bottom - place(bar.count),
        )
        for i, bar in enumerate(bars)
        if bar.count
    ]
    every = max(1, -(-len(bars) // words))
    edges = [bar.low for bar in bars] + [bar.high for bar in bars[-1:]]
    named = [(across(i), write(edge)) for i, edge in enumerate(edges) if i % every == 0]
    return drawing(HEIGHT, title, grid(frame, ticks, compact), *shapes, below(frame, named))
