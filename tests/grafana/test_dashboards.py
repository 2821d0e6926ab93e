"""The dashboards are what the code makes, say what to do, and hold together."""

import itertools
import json
import re

import pytest

from grafana.build import files
from tests.grafana.files import ROOT, dashboards, panels, promql, rules, targets
from tests.monitoring.test_prometheus import rules as prometheus_rules

# What Grafana knows, of the units used here.
UNITS = {"short", "string", "percentunit", "s", "ms", "bytes", "reqps", "dateTimeAsIso"}
KINDS = {"stat", "timeseries", "barchart", "table"}
SOURCES = {
    ("grafana-postgresql-datasource", "catsdogs-postgres"),
    ("prometheus", "catsdogs-prometheus"),
}


def test_the_files_are_what_the_code_makes():
    made = files()

    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, "run python -m grafana.build"
    assert {path.name for path in (ROOT / "dashboards").iterdir()} <= {p.name for p in made}


def test_there_is_a_dashboard_for_each_question():
    assert [each["title"] for each in dashboards().values()] == [
        "catsdogs: Drift and data",
        "catsdogs: Feedback and review",
        "catsdogs: Model quality",
        "catsdogs: Service",
    ]


@pytest.mark.parametrize(
    "panel", [panel for _, panel in panels()], ids=lambda panel: panel["title"]
)
def test_a_panel_has_a_title_a_unit_and_says_what_to_do(panel):
    assert panel["type"] in KINDS
    assert panel["title"]
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    for override in panel["fieldConfig"]["overrides"]:
        assert override["properties"][0]["value"] in UNITS
    assert len(panel["description"]) > 30
    assert panel["description"][-1] in ".?"
    assert panel["targets"]


def test_no_number_is_green_where_it_is_worst():
    for _, panel in panels():
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        colours = [step["color"] for step in steps]
        values = [step["value"] for step in steps[1:]]
        assert steps[0]["value"] is None
        assert values == sorted(values)
        assert colours[0] in ("green", "red")
        assert len(colours) == 1 or (colours[0] == "green") == (colours[-1] != "green")


@pytest.mark.parametrize("uid", dashboards())
def test_ids_and_titles_are_unique_and_nothing_lies_on_anything(uid):
    each = dashboards()[uid]["panels"]

    assert len({panel["id"] for panel in each}) == len(each)
    assert len({panel["title"] for panel in each}) == len(each)
    for panel in each:
        place = panel["gridPos"]
        assert place["x"] >= 0
        assert place["y"] >= 0
        assert place["x"] + place["w"] <= 24
    for one, other in itertools.combinations((panel["gridPos"] for panel in each), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


@pytest.mark.parametrize("uid", dashboards())
def test_a_dashboard_opens_on_the_time_up_to_now(uid):
    each = dashboards()[uid]

    assert each["uid"] == uid
    assert re.fullmatch(r"now-\d+[hd]", each["time"]["from"])
    assert each["time"]["to"] == "now"
    assert [variable["name"] for variable in each["templating"]["list"]] == ["version", "interval"]
    interval = each["templating"]["list"][1]
    assert interval["current"]["value"] in interval["query"].split(",")


def test_data_sources_are_named_by_their_fixed_uids():
    sources = [target["datasource"] for target in targets()]
    sources += [panel["datasource"] for _, panel in panels()]

    assert {(source["type"], source["uid"]) for source in sources} == SOURCES
    assert "DS_" not in json.dumps(dashboards())


def test_a_query_names_functions_only_and_never_a_table():
    """That the functions and their columns are there, test_sql_panels.py shows."""
    asked = [target["rawSql"] for target in targets() if "rawSql" in target]
    asked += [p["model"]["rawSql"] for r in rules() for p in r["data"] if "rawSql" in p["model"]]

    assert len(asked) > 50
    for query in asked:
        for source in re.findall(r"\b(?:FROM|JOIN)\s+(\w+\.?\w*)", query):
            assert source == "now" or source.startswith("catsdogs_figures."), query


def test_every_metric_is_one_that_the_site_shows_or_prometheus_records(client, engine, monkeypatch):
    from tests.monitoring.test_prometheus import shown
    from tests.photos import photo_upload

    client.post("/api/predict", {"image": photo_upload()})
    client.get("/")
    names = shown(client, monkeypatch) | {"catsdogs_workers"}
    recorded = {rule["record"] for rule in prometheus_rules() if "record" in rule}
    asked = promql()

    assert len(asked) > 15
    for query in asked:
        assert set(re.findall(r"catsdogs:\w+:\w+", query)) <= recorded, query
        assert set(re.findall(r"\bcatsdogs_\w+", query)) <= names, query
        assert re.search(r"catsdogs[:_]", query) or query == 'min(up{job="catsdogs"})'


def test_every_label_that_is_grouped_by_is_one_of_the_metric(client, engine, monkeypatch):
    from tests.photos import photo_upload

    client.post("/api/predict", {"image": photo_upload()})
    client.get("/")
    text = client.get("/metrics").text
    for query in promql():
        for label, metric in re.findall(r"sum by \((\w+)\) \(rate\((catsdogs_\w+)", query):
            found = re.search(rf"^{metric}{{([^}}]*)}}", text, re.MULTILINE)
            assert found, metric
            assert f'{label}="' in found[1], query
