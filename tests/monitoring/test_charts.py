"""Charts hold what they were given, and nothing a user wrote becomes markup."""

import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime, timedelta

import pytest

from monitoring import charts
from monitoring.bins import Bar
from monitoring.charts import scales

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
BEGINS = tuple(NOON + i * timedelta(hours=1) for i in range(4))
EVIL = '"><script>alert(1)</script>'


def parsed(svg):
    """The drawing; whatever is no XML raises."""
    return ElementTree.fromstring(svg)  # noqa: S314  our own


def words(svg):
    return [element.text for element in parsed(svg).iter("text")]


def shapes(svg, css_class, tag="rect"):
    return [each for each in parsed(svg).iter(tag) if each.get("class") == css_class]


ALL = {
    "columns": lambda name: charts.columns("c", name, BEGINS, [charts.Stack(name, [1, 0, 2, 3])]),
    "histogram": lambda name: charts.histogram(name, [Bar(0, 0.5, 1)], lambda value: name),
    "lines": lambda name: charts.lines(
        name, BEGINS, [charts.Line(name, [1.0, None, 2.0, 3.0])], str
    ),
    "band": lambda name: charts.band(
        name, BEGINS, charts.Line(name, [0.5, None, None, 1.0]), [(0.1, 0.9), None, None, None], 0.8
    ),
    "bars": lambda name: charts.bars("b", name, [charts.Row(name, 3, name)]),
    "shares": lambda name: charts.shares(name, [charts.Row(name, 0.5, name, 1, 0.2, 0.8)]),
    "limits": lambda name: charts.limits(name, [charts.Row(name, 0.5, name, limit=0.1)]),
    "reliability": lambda name: charts.reliability(name, [charts.Reliability(0.9, 0.8, 0.7, 0.9)]),
}


@pytest.mark.parametrize("draw", ALL.values(), ids=ALL)
def test_a_chart_is_one_picture_with_a_name(draw):
    svg = parsed(draw("Photos & files"))

    assert (svg.get("role"), svg.get("aria-label")) == ("img", "Photos & files")


@pytest.mark.parametrize("draw", ALL.values(), ids=ALL)
def test_nothing_in_a_chart_becomes_markup_or_needs_an_inline_style(draw):
    svg = draw(EVIL)

    assert "<script" not in svg
    assert [each for each in parsed(svg).iter() if "style" in each.attrib] == []


def test_stacked_columns_are_as_high_as_their_counts():
    stacks = [charts.Stack("cat", [1, 0, 2, 4]), charts.Stack("dog", [1, 0, 0, 4])]

    svg = charts.columns("c", "t", BEGINS, stacks)

    cats, dogs = shapes(svg, "shape s0"), shapes(svg, "shape s1")
    heights = [float(cat.get("height")) for cat in cats[-3:]]
    assert len(cats) == 3 + 1  # and one in the row of names
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.02)
    assert heights[2] == pytest.approx(4 * heights[0], abs=0.02)
    on_top = float(dogs[-1].get("y")) + float(dogs[-1].get("height"))
    assert on_top == pytest.approx(float(cats[-1].get("y")), abs=0.02)


def test_series_differ_in_more_than_their_colour():
    stacks = [charts.Stack(name, [1, 1, 1, 1]) for name in ("cat", "dog", "unsure", "neither")]

    svg = charts.columns("here", "t", BEGINS, stacks)

    hatches = {each.get("id") for each in parsed(svg).iter("pattern")}
    used = {each.get("fill") for each in parsed(svg).iter("rect")} - {None}
    assert used == {f"url(#here-hatch-{series})" for series in (1, 2, 3)}
    assert {hatch[5:-1] for hatch in used} < hatches
    assert [name for name in words(svg) if name in ("cat", "dog", "unsure", "neither")]


def test_a_line_is_broken_where_nothing_was_measured():
    svg = charts.lines("t", BEGINS, [charts.Line("p50", [1.0, 2.0, None, 3.0])], str)

    assert len(shapes(svg, "line s0", "path")) == 1
    assert "p50" in words(svg)


def test_names_of_lines_that_end_together_do_not_touch():
    of = [charts.Line(name, [5.0] * 4) for name in ("p50", "p95", "p99")]

    svg = charts.lines("t", BEGINS, of, str)

    heights = [float(e.get("y")) for e in parsed(svg).iter("text") if (e.text or "")[0] == "p"]
    gaps = [below - above for above, below in zip(heights, heights[1:], strict=False)]
    assert len(heights) == 3
    assert min(gaps) >= 17.9
    assert max(heights) < 260


def test_a_bar_beyond_its_limit_reaches_over_the_line_and_looks_different():
    rows = [
        charts.Row("a", 0.05, "", limit=0.1),
        charts.Row("b", 0.15, "", limit=0.1, is_alarm=True),
    ]

    svg = charts.limits("t", rows)

    (within,), (beyond,) = shapes(svg, "shape within"), shapes(svg, "shape beyond")
    line = next(e for e in parsed(svg).iter("line") if e.get("class") == "limit")
    ends = [float(bar.get("x")) + float(bar.get("width")) for bar in (within, beyond)]
    assert ends[0] < float(line.get("x1")) < ends[1]


@pytest.mark.parametrize(
    ("high", "whole", "last", "count"),
    [(0, True, 1, 2), (1, True, 1, 2), (7, True, 8, 5), (100, True, 100, 6), (0.3, False, 0.3, 4)],
)
def test_ticks_are_round_and_reach_over_the_highest(high, whole, last, count):
    ticks = scales.round_ticks(high, whole=whole)

    assert ticks[0] == 0
    assert ticks[-1] == pytest.approx(last)
    assert len(ticks) == count


@pytest.mark.parametrize(
    ("length", "step", "expected"),
    [
        (timedelta(hours=1), timedelta(minutes=1), ["12:00", "12:15", "12:30", "12:45"]),
        (timedelta(days=1), timedelta(hours=1), ["12:00", "16:00", "20:00", "00:00", "04:00", "08:00"]),  # noqa: E501
        (timedelta(days=7), timedelta(hours=3), ["Tue 11", "Thu 13", "Sat 15", "Mon 17"]),
        (timedelta(days=30), timedelta(hours=12), ["11 Mar", "17 Mar", "23 Mar", "29 Mar", "4 Apr"]),  # noqa: E501
    ],
    ids=["an hour", "a day", "a week", "a month"],
)  # fmt: skip
def test_times_below_a_chart_are_round_ones(length, step, expected):
    begins = tuple(NOON + i * step for i in range(length // step))

    ticks = scales.time_ticks(begins)

    assert [word for _, word in ticks] == expected
    assert all(0 <= place < len(begins) for place, _ in ticks)


@pytest.mark.parametrize(
    ("write", "value", "expected"),
    [
        (scales.compact, 1500, "1.5k"),
        (scales.compact, 20_000_000, "20M"),
        (scales.in_milliseconds, 1200, "1.2 s"),
        (scales.in_bytes, 441_000, "441 kB"),
        (scales.in_megapixels, 12_200_000, "12 MP"),
        (scales.in_percent, 0.255, "25.5 %"),
    ],
)
def test_numbers_on_axes_are_short(write, value, expected):
    assert write(value).replace("\N{NARROW NO-BREAK SPACE}", " ") == expected


def test_charts_of_nothing_are_drawn_too():
    assert parsed(charts.columns("c", "t", (), [charts.Stack("cat", [])])) is not None
    assert parsed(charts.lines("t", (), [], str)) is not None
    assert parsed(charts.bars("b", "t", [])) is not None
