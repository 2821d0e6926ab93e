"""Panels and dashboards as Grafana's JSON, from what differs between them."""

from collections.abc import Iterable, Sequence
from typing import Any

Json = dict[str, Any]

# Fixed: provisioning/datasources/ gives the data sources these.
POSTGRES = {"type": "grafana-postgresql-datasource", "uid": "catsdogs-postgres"}
PROMETHEUS = {"type": "prometheus", "uid": "catsdogs-prometheus"}

GREEN, YELLOW, RED = "green", "yellow", "red"
_WHOLE_WIDTH = 24


def whole(function: str, measure: str | None = None) -> str:
    """The SQL of a function's rows over the time shown, of the version chosen."""
    return _asked(function, measure, "NULL")


def by_interval(function: str, measure: str | None = None) -> str:
    """The same for each interval of the time shown."""
    return _asked(function, measure, "'$interval'")


def _asked(function: str, measure: str | None, step: str) -> str:
    first = f"'{measure}', " if measure else ""
    time = "$__timeFrom(), $__timeTo()"
    return f"catsdogs_figures.{function}({first}{time}, {step}, ${{version:sqlstring}})"


def sql(text: str, *, series: bool = False) -> Json:
    """A query of PostgreSQL: a table, or series over `time`."""
    return {
        "datasource": POSTGRES,
        "editorMode": "code",
        "format": "time_series" if series else "table",
        "rawQuery": True,
        "rawSql": text.strip(),
    }


def promql(text: str, legend: str = "", *, instant: bool = False) -> Json:
    """A query of Prometheus: series over time, or what is now."""
    return {
        "datasource": PROMETHEUS,
        "editorMode": "code",
        "expr": text.strip(),
        "instant": instant,
        "legendFormat": legend or "__auto",
        "range": not instant,
    }


def stat(
    title: str,
    about: str,
    unit: str,
    *queries: Json,
    steps: Sequence[tuple[str, float]] = (),
    words: dict[str, str] | None = None,
    text: bool = False,
    width: int = 4,
) -> Json:
    """One number, coloured from each step's value on; or one text.

    Args:
        words: What is shown in the place of a value.
        text: Whether the value is one.
    """
    options = {
        "colorMode": "value" if steps else "none",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": {
            "calcs": ["lastNotNull"],
            "fields": "/.*/" if text else "",
            "values": False,
        },
        "textMode": "auto",
    }
    defaults = {**_field(unit, steps), "noValue": "–"}
    if words:
        mapped = {
            value: {"index": i, "text": word} for i, (value, word) in enumerate(words.items())
        }
        defaults["mappings"] = [{"type": "value", "options": mapped}]
    return _panel("stat", title, about, queries, defaults, options, width, 4)


def lines(
    title: str,
    about: str,
    unit: str,
    *queries: Json,
    stacked: bool = False,
    lowest: float | None = 0,
    highest: float | None = None,
    limit: float | None = None,
    width: int = 12,
) -> Json:
    """Values over time; `limit` is drawn as a line."""
    defaults = _field(unit, [(RED, limit)] if limit is not None else ())
    for name, value in (("min", lowest), ("max", highest)):
        if value is not None:
            defaults[name] = value
    defaults["color"] = {"mode": "palette-classic"}
    defaults["custom"] = {
        "drawStyle": "bars" if stacked else "line",
        "fillOpacity": 70 if stacked else 0,
        "lineWidth": 1,
        "showPoints": "auto",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
        "thresholdsStyle": {"mode": "off" if limit is None else "line"},
    }
    options = {
        "legend": {
            "calcs": ["lastNotNull"],
            "displayMode": "list",
            "placement": "bottom",
            "showLegend": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return _panel("timeseries", title, about, queries, defaults, options, width, 8)


def bars(title: str, about: str, unit: str, query: Json, *, width: int = 12) -> Json:
    """One group of bars a row: its first column names it, the others are values."""
    defaults = _field(unit, ()) | {"min": 0, "color": {"mode": "palette-classic"}}
    defaults["custom"] = {"fillOpacity": 80, "lineWidth": 1}
    options = {
        "barWidth": 0.9,
        "groupWidth": 0.8,
        "legend": {
            "calcs": [],
            "displayMode": "list",
            "placement": "bottom",
            "showLegend": True,
        },
        "orientation": "auto",
        "showValue": "auto",
        "stacking": "none",
        "tooltip": {"mode": "multi", "sort": "none"},
        "xTickLabelRotation": 0,
    }
    return _panel("barchart", title, about, [query], defaults, options, width, 8)


def table(
    title: str,
    about: str,
    query: Json,
    *,
    units: dict[str, str] | None = None,
    unit: str = "short",
    width: int = 12,
) -> Json:
    """Rows as they are; `units` gives columns units of their own."""
    defaults = _field(unit, ()) | {"custom": {"align": "auto", "filterable": False}, "noValue": "–"}
    panel = _panel(
        "table", title, about, [query], defaults, {"showHeader": True, "cellHeight": "sm"}, width, 8
    )
    panel["fieldConfig"]["overrides"] = [
        {
            "matcher": {"id": "byName", "options": column},
            "properties": [{"id": "unit", "value": of_column}],
        }
        for column, of_column in (units or {}).items()
    ]
    return panel


def _field(unit: str, steps: Iterable[tuple[str, float]]) -> Json:
    colours: list[Json] = [{"color": GREEN, "value": None}]
    colours += [{"color": colour, "value": value} for colour, value in steps]
    if any(step["color"] == GREEN for step in colours[1:]):
        colours[0]["color"] = RED  # of what is better the higher it is
    return {
        "color": {"mode": "thresholds"},
        "thresholds": {"mode": "absolute", "steps": colours},
        "unit": unit,
    }


def _panel(
    kind: str,
    title: str,
    about: str,
    queries: Sequence[Json],
    defaults: Json,
    options: Json,
    width: int,
    height: int,
) -> Json:
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": queries[0]["datasource"],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "gridPos": {"w": width, "h": height},
        "options": options,
        "targets": [{"refId": chr(ord("A") + i), **query} for i, query in enumerate(queries)],
    }


def dashboard(
    uid: str, title: str, about: str, *panels: Json, since: str, interval: str, refresh: str
) -> Json:
    """A dashboard whose panels fill row after row, left to right.

    Args:
        since: What it shows when it is opened, up to now: "now-7d".
        interval: How much time one point stands for then.
        refresh: How often it asks again by itself.
    """
    _lay_out(panels)
    return {
        "annotations": {"list": [_promotions()]},
        "description": about,
        "editable": False,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "links": [_links()],
        "panels": [{"id": number, **panel} for number, panel in enumerate(panels, 1)],
        "refresh": refresh,
        "schemaVersion": 41,
        "tags": ["catsdogs"],
        "templating": {"list": [_versions(), _intervals(interval)]},
        "time": {"from": since, "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "title": title,
        "uid": uid,
        "version": 1,
    }


def _lay_out(panels: Sequence[Json]) -> None:
    x = y = row_height = 0
    for panel in panels:
        place = panel["gridPos"]
        if x + place["w"] > _WHOLE_WIDTH:
            x, y, row_height = 0, y + row_height, 0
        place |= {"x": x, "y": y}
        x, row_height = x + place["w"], max(row_height, place["h"])


def _versions() -> Json:
    # All stands for SQL's null, put into the queries as it is: the functions then take all.
    return {
        "name": "version",
        "label": "Version",
        "description": "Whose predictions are counted.",
        "type": "query",
        "datasource": POSTGRES,
        "query": "SELECT version FROM catsdogs_figures.versions() ORDER BY trained_at DESC",
        "definition": "SELECT version FROM catsdogs_figures.versions() ORDER BY trained_at DESC",
        "allValue": "NULL",
        "includeAll": True,
        "multi": False,
        "current": {"text": "All", "value": "$__all"},
        "options": [],
        "refresh": 1,
        "regex": "",
        "sort": 0,
        "hide": 0,
        "skipUrlSync": False,
    }


def _intervals(chosen: str) -> Json:
    steps = ["1m", "5m", "15m", "1h", "6h", "1d", "7d"]
    options = [{"selected": step == chosen, "text": step, "value": step} for step in steps]
    return {
        "name": "interval",
        "label": "Interval",
        "description": "How much time one point stands for. From 1h on, sums by the hour are read.",
        "type": "interval",
        "query": ",".join(steps),
        "auto": False,
        "auto_count": 30,
        "auto_min": "1m",
        "current": {"selected": True, "text": chosen, "value": chosen},
        "options": options,
        "refresh": 2,
        "hide": 0,
        "skipUrlSync": False,
    }


def _promotions() -> Json:
    return {
        "name": "Promotions",
        "datasource": POSTGRES,
        "enable": True,
        "hide": False,
        "iconColor": "purple",
        "target": {
            "refId": "Anno",
            **sql(
                "SELECT at AS \"time\", version || CASE WHEN is_rollback THEN ' is back' "
                "ELSE ' went live' END AS text "
                "FROM catsdogs_figures.promotions($__timeFrom(), $__timeTo()) ORDER BY 1"
            ),
        },
    }


def _links() -> Json:
    return {
        "asDropdown": True,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "tags": ["catsdogs"],
        "targetBlank": False,
        "title": "Dashboards",
        "tooltip": "The others, over the same time",
        "type": "dashboards",
        "url": "",
    }
