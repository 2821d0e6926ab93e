"""The files that Grafana reads, and what is asked in them."""

import json
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2] / "grafana"


def dashboards():
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "dashboards").glob("*.json"))
    }


def panels():
    """(dashboard's uid, panel) of all panels."""
    return [(uid, panel) for uid, each in dashboards().items() for panel in each["panels"]]


def provisioned(kind):
    """File name to content, of provisioning/<kind>/."""
    found = sorted((ROOT / "provisioning" / kind).iterdir())
    return {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in found}


def rules():
    return [
        rule
        for content in provisioned("alerting").values()
        for group in content.get("groups", [])
        for rule in group["rules"]
    ]


def targets():
    """All queries of the dashboards, those of annotations and variables included."""
    asked = [target for _, panel in panels() for target in panel["targets"]]
    for each in dashboards().values():
        asked += [annotation["target"] for annotation in each["annotations"]["list"]]
        asked += [
            {"rawSql": variable["query"], "datasource": variable["datasource"]}
            for variable in each["templating"]["list"]
            if variable["type"] == "query"
        ]
    return asked


def promql():
    """Every question to Prometheus, of dashboards and alert rules."""
    asked = [target["expr"] for target in targets() if "expr" in target]
    return asked + [
        part["model"]["expr"]
        for rule in rules()
        for part in rule["data"]
        if "expr" in part["model"]
    ]
