from datetime import UTC, datetime, timedelta

import pytest

from monitoring.bins import MEASURES, percentiles
from monitoring.periods import Period, ceil, floor

NOW = datetime(2025, 3, 10, 12, 34, 56, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "step"),
    [
        (timedelta(0), timedelta(minutes=1)),
        (timedelta(hours=1), timedelta(minutes=1)),
        (timedelta(hours=6), timedelta(minutes=5)),
        (timedelta(days=1), timedelta(hours=1)),
        (timedelta(days=7), timedelta(hours=3)),
        (timedelta(days=30), timedelta(hours=12)),
        (timedelta(days=90), timedelta(days=1)),
        (timedelta(days=3650), timedelta(days=7)),
    ],
)
def test_a_plot_has_a_readable_number_of_intervals(length, step):
    period = Period.last(length, until=NOW)

    assert period.step == step
    if length < timedelta(days=3650):
        assert len(period.intervals) <= 97


def test_the_intervals_cover_the_period():
    period = Period.last(timedelta(days=7), until=NOW)

    begins = period.intervals

    assert begins[0] <= period.since < begins[1]
    assert begins[-1] < period.until <= begins[-1] + period.step


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (datetime(2025, 1, 1), NOW, "time zone"),
        (NOW, NOW - timedelta(seconds=1), "before"),
    ],
)
def test_what_is_no_period_is_refused(since, until, words):
    with pytest.raises(ValueError, match=words if words == "time zone" else "ends after"):
        Period(since, until)


def test_whole_hours_below_and_above():
    hour = timedelta(hours=1)

    assert floor(NOW, hour) == datetime(2025, 3, 10, 12, tzinfo=UTC)
    assert ceil(NOW, hour) == datetime(2025, 3, 10, 13, tzinfo=UTC)
    assert ceil(floor(NOW, hour), hour) == floor(NOW, hour)


@pytest.mark.parametrize("measure", MEASURES)
def test_edges_grow(measure):
    edges = [MEASURES[measure].edge(bin) for bin in range(110)]

    assert all(low < high for low, high in zip(edges, edges[1:], strict=False))


def test_percentiles_of_bins():
    assert percentiles({}, "novelty", [0.5]) == [None]
    assert percentiles({50: 1}, "novelty", [0.0, 0.99]) == pytest.approx([0.505, 0.505], abs=0.005)
    assert percentiles({10: 99, 90: 1}, "novelty", [0.5]) == pytest.approx([0.105], abs=0.001)
    assert percentiles({10: 1, 90: 99}, "novelty", [0.0, 1.0]) == pytest.approx(
        [0.105, 0.91], abs=1e-3
    )
