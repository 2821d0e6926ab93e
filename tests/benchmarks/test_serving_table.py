"""What contestants did is summed up: medians, ratios within a round, and what went wrong."""

from dataclasses import replace

import pytest

from benchmarks.contestants import Load, Round
from benchmarks.marked import write_between
from benchmarks.memory import slope_of
from benchmarks.rows import compare
from benchmarks.serving_table import as_table, summed_up

LOAD = Load("jpeg", clients=8, body="raw", photos=100, seconds=5)
FIRST, SECOND, THIRD = (f"0199f3c2-6c1e-7cc3-b7b1-0f4c5d2f7a1{i}" for i in range(3))


def served(rate=90.0, p99=100.0, **others):
    return Round(rate, cpu=16.0, latencies=(50.0, 80.0, p99), client_cpu=0.4, **others)


def loop(rate=100.0):
    return Round(rate, cpu=10.0)


def test_the_ratio_is_to_the_loop_of_the_same_round():
    # The machine was twice as fast in the second round: the ratio does not see it.
    rows = summed_up(LOAD, ["loop", "site"], [[loop(100), served(90)], [loop(200), served(180)]])

    assert rows[1].ratios == [0.9, 0.9]
    assert rows[1].ratio == 0.9
    assert rows[1].cpu_ratio == 1.6
    assert (rows[0].ratio, rows[0].latencies, rows[0].ideal_ratio) == (1, None, None)


def test_the_middle_round_counts_not_the_mean():
    rounds = [[loop(), served(rate)] for rate in (90, 10, 92)]

    assert summed_up(LOAD, ["loop", "site"], rounds)[1].rate == 90


def test_the_ideal_is_what_each_client_would_wait_if_all_shared_the_loops_rate():
    rows = summed_up(LOAD, ["loop", "site"], [[loop(100), served(p99=120)]])

    assert rows[1].ideal_ratio == pytest.approx(120 / 80)


def test_refusals_are_foreseen_and_other_failures_are_not():
    def row(**others):
        return summed_up(LOAD, ["loop", "site"], [[loop(), served(**others)]])[1]

    assert not row(statuses={201: 90, 200: 1, 503: 3}).bad
    assert row(statuses={201: 90, 500: 1}).bad
    assert row(statuses={201: 90}, dropped=1).bad


def test_the_table_has_a_line_for_each_and_leaves_out_what_is_not_there():
    rows = summed_up(LOAD, ["loop", "site"], [[loop(), served(statuses={201: 5, 503: 7})]])

    lines = as_table(rows).splitlines()

    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| jpeg, raw | 8 | loop | 100.0 | 1.000 | 10.00 |")
    assert lines[3].endswith("| 50 | 80 | 100 | 1.25 | 0 | 7 |")


def test_every_promise_is_kept_exactly_once():
    assert compare([FIRST, SECOND], [SECOND, FIRST, THIRD]) == []


@pytest.mark.parametrize(
    ("given", "rows", "word"),
    [
        ([FIRST, SECOND], [FIRST], "1 acknowledged predictions are not stored"),
        ([FIRST], [FIRST, FIRST], "stored twice"),
        ([FIRST, FIRST], [FIRST], "share their id"),
    ],
)
def test_a_broken_promise_is_told(given, rows, word):
    (problem,) = compare(given, rows)

    assert word in problem


def test_only_what_is_between_the_marks_is_written(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- it -->\nold\n<!-- /it -->\nafter\n")

    write_between(page, "it", "new")
    write_between(page, "it", "newer")

    assert page.read_text() == "before\n<!-- it -->\nnewer\n<!-- /it -->\nafter\n"
    with pytest.raises(ValueError, match="no place"):
        write_between(page, "other", "new")


def test_the_slope_leaves_out_the_warm_up():
    grown = [(n * 1000, {"rss": 100 + max(0, 4 - n) * 50.0 + n}) for n in range(1, 21)]

    assert slope_of(grown) == pytest.approx(10)


def test_a_round_is_not_changed_by_its_sum():
    before = served(statuses={201: 1})

    summed_up(LOAD, ["loop", "site"], [[loop(), before], [loop(), before]])

    assert before == replace(before, statuses={201: 1})
