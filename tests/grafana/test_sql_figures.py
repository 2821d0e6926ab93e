"""Each figure is the same number in Grafana's SQL and in `monitoring.figures`."""

# ruff: noqa: S608  the names in the queries are our own
from datetime import timedelta

import pytest

from monitoring import figures
from monitoring.bins import MEASURES
from monitoring.counting import count_bins
from monitoring.periods import HOUR
from monitoring.reach import Scope
from tests.monitoring.conftest import period, rows  # noqa: F401  the same rows, in three states
from tests.monitoring.rows import NEW


@pytest.mark.parametrize("version", [None, NEW])
def test_answers(reader, rows, period, version):  # noqa: F811
    asked = reader.ask(
        "SELECT answer, sum(count) AS n FROM catsdogs_figures.answers("
        "$__timeFrom(), $__timeTo(), NULL, ${version:sqlstring}) GROUP BY 1",
        period,
        version,
    )

    assert {row["answer"]: row["n"] for row in asked} == figures.answers(period, version).by_answer


@pytest.mark.parametrize("measure", ["inference_ms", "total_ms"])
def test_percentiles(reader, rows, period, measure):  # noqa: F811
    (asked,) = reader.ask(
        f"SELECT * FROM catsdogs_figures.percentiles('{measure}', $__timeFrom(), $__timeTo())",
        period,
    )
    latency = figures.latency(period)
    expected = latency.inference if measure == "inference_ms" else latency.total

    assert asked["at"] == period.since
    assert [asked["p50"], asked["p95"], asked["p99"]] == pytest.approx(
        [expected.p50, expected.p95, expected.p99]
    )


@pytest.mark.parametrize("step", [timedelta(minutes=10), HOUR, timedelta(days=1)])
def test_whatever_the_step_all_are_counted(reader, rows, period, step):  # noqa: F811
    asked = reader.ask(
        "SELECT at, sum(count) AS n FROM catsdogs_figures.answers("
        f"$__timeFrom(), $__timeTo(), '{step.total_seconds():.0f}s') GROUP BY 1",
        period,
    )

    assert sum(row["n"] for row in asked) == figures.answers(period).count
    assert all(row["at"].timestamp() % step.total_seconds() == 0 for row in asked)


@pytest.mark.parametrize("measure", MEASURES)
def test_bins_and_their_edges(reader, rows, period, measure):  # noqa: F811
    asked = reader.ask(
        f"SELECT bin, count, catsdogs_figures.edge('{measure}', bin) AS edge "
        f"FROM catsdogs_figures.bins('{measure}', $__timeFrom(), $__timeTo())",
        period,
    )
    expected = count_bins(Scope(period), measure)[measure]

    assert {row["bin"]: row["count"] for row in asked} == expected
    for row in asked:
        assert row["edge"] == pytest.approx(MEASURES[measure].edge(row["bin"]))


@pytest.mark.parametrize("value", [0.5, 0.57, 0.9899, 0.99, 0.995, 0.9999, 1.0])
def test_confidence_falls_into_the_same_bin(reader, period, value):  # noqa: F811
    from tests.make import make_prediction

    prediction = make_prediction(confidence=value, created_at=period.since)
    hour = figures.Period(prediction.created_at, prediction.created_at + HOUR)
    (asked,) = reader.ask(
        "SELECT bin FROM catsdogs_figures.bins('confidence', $__timeFrom(), $__timeTo())", hour
    )

    assert list(count_bins(Scope(hour), "confidence")["confidence"]) == [asked["bin"]]


def test_percentiles_of_very_many_come_from_bins(reader, rows, period):  # noqa: F811
    from django.db import connection

    from monitoring.bins import percentiles

    with connection.cursor() as cursor:  # as if it were less than there are
        cursor.execute("SELECT pg_get_functiondef('catsdogs_figures.percentiles'::regproc)")
        cursor.execute(cursor.fetchone()[0].replace("50000", "5"))
    (asked,) = reader.ask(
        "SELECT * FROM catsdogs_figures.percentiles('total_ms', $__timeFrom(), $__timeTo())", period
    )
    expected = percentiles(
        count_bins(Scope(period), "total_ms")["total_ms"], "total_ms", [0.5, 0.95, 0.99]
    )

    assert [asked["p50"], asked["p95"], asked["p99"]] == pytest.approx(expected)
    assert asked["p50"] == pytest.approx(figures.latency(period).total.p50, rel=0.03)
