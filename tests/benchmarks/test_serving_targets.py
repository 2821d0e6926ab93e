"""Targets are judged from the rows of a run, and only those that were measured."""

import pytest

from benchmarks.contestants import Load, Round
from benchmarks.serving_table import summed_up
from benchmarks.serving_targets import as_list, targets
from benchmarks.soak import Minute, _problems


def rows(rates, clients=8, body="raw", p99=80.0):
    """A row for each name and rate, the loop's first, all measured under one load."""
    load = Load("jpeg", clients, body, photos=100, seconds=5)
    done = [Round(rate, cpu=10, latencies=(1, 1, p99)) for rate in rates.values()]
    return summed_up(load, list(rates), [done])


def judged(*measured):
    found = [row for each in measured for row in each]
    return {target.text: (round(target.measured, 2), target.met) for target in targets(found)}


def test_the_site_is_judged_against_the_loop():
    assert judged(rows({"loop": 100, "catsdogs, postgresql": 91}, p99=120)) == {
        "photos/s of the loop's, 8 clients, raw": (0.91, False),
        "p99 of the ideal, 8 clients, raw": (1.5, False),
    }


def test_a_target_that_is_just_reached_is_met():
    found = judged(rows({"loop": 100, "catsdogs, postgresql": 92}, p99=112))

    assert all(met for _, met in found.values())


def test_the_site_must_be_level_with_peers_and_nine_times_the_ancestor():
    single = "FastAPI + ONNX Runtime, no log, single precision"
    peers = {"LitServe, no log": 90, "FastAPI + model.predict, no log": 11, single: 76}
    found = judged(rows({"loop": 100, "catsdogs, postgresql": 95, **peers}, body="form"))

    assert found["photos/s, of LitServe, no log, 8 clients"] == (1.06, True)
    assert found["photos/s, of FastAPI + model.predict, no log, 8 clients"] == (8.64, False)
    assert found[f"photos/s, of {single}, 8 clients"] == (1.25, False)


def test_more_clients_and_more_rows_cost_little():
    site = "catsdogs, postgresql"
    found = judged(
        rows({"loop": 100, site: 50}, clients=1),
        rows({"loop": 100, site: 95, f"{site}, 10,000,000 rows": 90}),
        rows({"loop": 100, site: 80}, clients=128),
    )

    assert found["least of most photos/s, 8 to 128 clients"] == (0.84, False)
    assert found["photos/s with 10,000,000 rows, 8 clients"] == (0.95, True)


def test_the_list_says_which_are_not_met():
    text = as_list(list(targets(rows({"loop": 100, "catsdogs, postgresql": 91}))))

    assert "| ≥ 0.92 | 0.91 | **not met** |" in text
    assert "| ≤ 1.4 | 1.00 | met |" in text


@pytest.mark.parametrize("status", [500, 404])
def test_a_soak_excuses_no_other_status(status):
    (problem,) = _problems([Minute("PostgreSQL killed", {201: 5, status: 1}, problems=["oh"])])

    assert str(status) in problem
    assert "PostgreSQL killed" in problem


def test_a_soak_excuses_what_was_refused_or_dropped():
    assert _problems([Minute("a worker killed", {200: 1, 201: 5, 503: 9}, dropped=4)]) == []


def test_a_soak_tells_of_memory_that_grows():
    def grown(by):
        return [Minute("none", {201: 1}, memory=200 + by * n) for n in range(20)]

    assert _problems(grown(1)) == []
    assert "Memory grew" in _problems(grown(10))[0]
