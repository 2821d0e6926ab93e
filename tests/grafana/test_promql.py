"""Every question to Prometheus is PromQL, and the alerts among them tell up from down."""

import json

import pytest

from tests.grafana.files import ROOT, promql, rules
from tests.monitoring.test_prometheus import run, tool

STEPS = "120"  # of 15 s


def plain(query):
    """Without what Grafana puts in."""
    return query.replace("$__rate_interval", "1m")


def asked():
    """The name of each rule on Prometheus to its question."""
    return {
        rule["uid"].removeprefix("catsdogs-"): rule["data"][0]["model"]["expr"]
        for rule in rules()
        if "expr" in rule["data"][0]["model"]
    }


def test_every_question_is_promql(tmp_path):
    recorded = [
        {"record": f"asked:{number}", "expr": plain(query)} for number, query in enumerate(promql())
    ]
    file = tmp_path / "asked.yml"
    file.write_text(json.dumps({"groups": [{"name": "asked", "rules": recorded}]}))

    assert not any("$" in rule["expr"] for rule in recorded)
    run(tool("promtool"), "check", "rules", str(file))


def test_the_containers_prometheus_is_set_up_right():
    run(tool("promtool"), "check", "config", "--syntax-only", str(ROOT / "prometheus/compose.yml"))


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (
            {
                'up{job="catsdogs"}': f"1x{STEPS}",
                "catsdogs_database_up": f"1x{STEPS}",
                'catsdogs_workers{version="1"}': f"2x{STEPS}",
                "catsdogs_spool_oldest_seconds": f"0x{STEPS}",
                "catsdogs_spool_rejected": f"0x{STEPS}",
            },
            {
                **{"site-down": 1, "database-down": 1, "no-live-version": 2},
                **{"answers-wait": 0, "answers-set-aside": 0},
            },
        ),
        (
            {
                'up{job="catsdogs",instance="a"}': f"1x{STEPS}",
                'up{job="catsdogs",instance="b"}': f"0x{STEPS}",
                'catsdogs_database_up{instance="a"}': f"1x{STEPS}",
                'catsdogs_workers{instance="a",version="1"}': f"1x{STEPS}",
                'catsdogs_spool_oldest_seconds{instance="a"}': f"400x{STEPS}",
                'catsdogs_spool_rejected{instance="a"}': f"3x{STEPS}",
            },
            {
                **{"answers-wait": 400, "answers-set-aside": 3},
                "site-down": 0,
                "database-down": 1,
                "no-live-version": 1,
            },
        ),
        (
            {
                'up{job="catsdogs"}': f"1x{STEPS}",
                "catsdogs_database_up": f"0x{STEPS}",
                "catsdogs_spool_oldest_seconds": f"400x{STEPS}",
            },
            {"site-down": 1, "database-down": 0, "no-live-version": 0, "answers-wait": None},
        ),
        ({}, {"site-down": None, "database-down": None, "no-live-version": None}),
    ],
    ids=["all is well", "one server down", "database and version away", "nothing is scraped"],
)
def test_the_alerts_tell_up_from_down(tmp_path, series, expected):
    tests = [
        {
            "interval": "15s",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": asked()[name],
                    "eval_time": "20m",
                    "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
                }
                for name, value in expected.items()
            ],
        }
    ]
    file = tmp_path / "tests.yml"
    file.write_text(json.dumps({"evaluation_interval": "15s", "tests": tests}))

    run(tool("promtool"), "test", "rules", str(file))
