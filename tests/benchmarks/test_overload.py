"""The benchmark of overload tells apart who was answered, who was turned away, and what failed."""

from dataclasses import replace

from benchmarks.overload import Phase, _times, as_table, is_in_order

OTHERS = ("/healthz", "/metrics", "/", "/api/feedback")


def phase(**statuses):
    times = {"answered": _times([0.1] * 98 + [0.2] * 2), "turned away": _times([])}
    times |= {what: _times([0.001]) for what in OTHERS}
    return Phase("10 times the load", 100.0, times, statuses, 1.5)


def test_percentiles_are_of_milliseconds():
    found = phase().times["answered"]

    assert (found.count, found.p50, found.p99) == (100, 100.0, 200.0)


def test_photos_may_be_turned_away_and_nothing_else_may_happen():
    assert is_in_order(phase(**{"201": 10, "503": 90}))
    assert not is_in_order(phase(**{"201": 10, "500": 1}))
    assert not is_in_order(phase(**{"201": 10, "0": 1}))


def test_everything_else_must_have_been_answered():
    found = phase(**{"201": 10})

    assert not is_in_order(replace(found, times={**found.times, "/healthz": _times([])}))


def test_the_table_tells_the_share_turned_away():
    assert "| turned away | 90% |" in as_table([phase(**{"201": 10, "503": 90})])
