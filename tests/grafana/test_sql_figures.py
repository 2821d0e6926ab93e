"""Each figure is the same number in Grafana's SQL and in `monitoring.figures`."""

# ruff: noqa: S608  the names in the queries are our own
from datetime import timedelta

import pytest

from monitoring import figures
from monitoring.periods import HOUR
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
