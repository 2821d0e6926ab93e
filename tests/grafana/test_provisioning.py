"""What Grafana reads at its start has the shape that its documentation asks for, and no secret."""

import re

import pytest

from tests.grafana.files import ROOT, dashboards, provisioned, rules

DURATION = re.compile(r"\d+[smhd]")
# Environment of Grafana, which docs/grafana.md lists.
VARIABLES = {
    *("CATSDOGS_ALERT_EMAIL", "CATSDOGS_DASHBOARDS", "CATSDOGS_DATABASE_ADDRESS"),
    *("CATSDOGS_DATABASE_NAME", "CATSDOGS_DATABASE_SSLMODE", "CATSDOGS_GRAFANA_PASSWORD"),
    "CATSDOGS_PROMETHEUS_URL",
}


def only(mapping, needed, allowed=frozenset()):
    """These keys, all of the first and any of the second."""
    assert set(needed) <= mapping.keys() <= set(needed) | set(allowed), mapping


def test_data_sources():
    (content,) = provisioned("datasources").values()
    only(content, {"apiVersion", "datasources"})
    assert content["apiVersion"] == 1
    by_type = {source["type"]: source for source in content["datasources"]}

    for source in by_type.values():
        only(
            source,
            {"name", "uid", "type", "access", "url", "jsonData", "editable"},
            {"user", "secureJsonData", "isDefault"},
        )
        assert source["access"] == "proxy"
        assert source["editable"] is False
    postgres = by_type["grafana-postgresql-datasource"]
    assert postgres["user"] == "grafana_reader"
    assert {"database", "sslmode", "postgresVersion"} <= postgres["jsonData"].keys()
    assert postgres["secureJsonData"] == {"password": "${CATSDOGS_GRAFANA_PASSWORD}"}
    assert sum(bool(source.get("isDefault")) for source in by_type.values()) == 1


def test_dashboards():
    (content,) = provisioned("dashboards").values()
    only(content, {"apiVersion", "providers"})
    (provider,) = content["providers"]

    only(
        provider,
        {"name", "type", "folder", "options"},
        {"orgId", "disableDeletion", "allowUiUpdates", "updateIntervalSeconds"},
    )
    assert provider["type"] == "file"
    assert provider["options"] == {"path": "${CATSDOGS_DASHBOARDS}"}


def test_the_contact_point_is_the_one_that_the_policy_names():
    alerting = provisioned("alerting")
    (point,) = alerting["contact-points.yaml"]["contactPoints"]
    (policy,) = alerting["policies.yaml"]["policies"]
    (receiver,) = point["receivers"]

    only(point, {"orgId", "name", "receivers"})
    only(receiver, {"uid", "type", "settings"}, {"disableResolveMessage"})
    assert receiver["type"] == "email"
    assert receiver["disableResolveMessage"] is False
    assert receiver["settings"]["addresses"] == "${CATSDOGS_ALERT_EMAIL}"
    assert policy["receiver"] == point["name"]
    for name in ("group_wait", "group_interval", "repeat_interval"):
        assert DURATION.fullmatch(policy[name])
    assert {"grafana_folder", "alertname"} == set(policy["group_by"])


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["uid"])
def test_a_rule_asks_reduces_and_compares(rule):
    only(
        rule,
        {
            *("uid", "title", "condition", "data", "dashboardUid", "panelId", "noDataState"),
            *("execErrState", "for", "annotations", "labels", "isPaused"),
        },
    )
    asked, reduced, compared = rule["data"]
    assert [part["refId"] for part in rule["data"]] == ["A", "B", "C"]
    assert rule["condition"] == "C"
    for part in rule["data"]:
        only(part, {"refId", "relativeTimeRange", "datasourceUid", "model"})
        assert part["model"]["refId"] == part["refId"]
    assert asked["relativeTimeRange"]["from"] > asked["relativeTimeRange"]["to"] == 0
    assert asked["datasourceUid"] == asked["model"]["datasource"]["uid"]
    assert (reduced["datasourceUid"], compared["datasourceUid"]) == ("__expr__", "__expr__")
    assert (reduced["model"]["type"], reduced["model"]["expression"]) == ("reduce", "A")
    assert (compared["model"]["type"], compared["model"]["expression"]) == ("threshold", "B")
    assert compared["model"]["conditions"][0]["evaluator"]["type"] in ("gt", "lt")


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["uid"])
def test_a_rule_says_what_it_means_and_leads_to_a_panel(rule):
    panels = {panel["id"] for panel in dashboards()[rule["dashboardUid"]]["panels"]}

    assert rule["panelId"] in panels
    assert {"summary", "description", "action"} == rule["annotations"].keys()
    assert all(rule["annotations"].values())
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert len(rule["uid"]) <= 40
    assert DURATION.fullmatch(rule["for"])
    assert rule["noDataState"] in ("OK", "Alerting")
    assert rule["execErrState"] in ("KeepLast", "Alerting")
    # Grafana would put its environment in.
    assert "$" not in rule["title"] + "".join(rule["annotations"].values())


def test_uids_and_titles_are_unique():
    assert len({rule["uid"] for rule in rules()}) == len(rules())
    assert len({rule["title"] for rule in rules()}) == len(rules())


def test_whatever_differs_or_is_secret_comes_from_the_environment():
    hand_kept = [p.read_text(encoding="utf-8") for p in (ROOT / "provisioning").rglob("*.yaml")]

    assert {n for text in hand_kept for n in re.findall(r"\$\{(\w+)\}", text)} == VARIABLES
    assert not any(re.search(r"password: (?!\$\{)", text) for text in hand_kept)


def test_the_environment_is_described():
    text = (ROOT.parent / "docs" / "grafana.md").read_text(encoding="utf-8")

    assert {name for name in VARIABLES if f"`{name}`" not in text} == set()


def test_every_rule_is_described():
    text = (ROOT.parent / "docs" / "grafana.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)

    assert {f"catsdogs-{name}" for name in named} == {rule["uid"] for rule in rules()}
