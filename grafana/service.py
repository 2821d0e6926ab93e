"""Dashboard Service: does it answer, how fast, and what does it refuse?"""

# ruff: noqa: S608  the queries are put together from this folder alone
from grafana.panels import (
    GREEN,
    RED,
    YELLOW,
    by_interval,
    dashboard,
    lines,
    promql,
    sql,
    stat,
    table,
)

_PEOPLE = 'route!~"healthz|readyz|metrics|static|unknown"'
_YES_NO = {"0": "no", "1": "yes"}


def _quantile(share: float, series: str, labels: str = "") -> str:
    return (
        f"histogram_quantile({share}, sum by (le) "
        f"(rate({series}_bucket{{{labels}}}[$__rate_interval])))"
    )


_NOW = [
    stat(
        "Site up",
        "Whether every server answers Prometheus. No: start it, read its log; 403 means that "
        "CATSDOGS_METRICS_TOKEN differs between the site and Prometheus.",
        "short",
        promql('min(up{job="catsdogs"})', instant=True),
        steps=[(GREEN, 1)],
        words=_YES_NO,
    ),
    stat(
        "Database up",
        "Whether the site gets answers from the database within 3 s. No: is PostgreSQL running, "
        "is its disk full? The site goes on by itself once it is back.",
        "short",
        promql("min(catsdogs_database_up)", instant=True),
        steps=[(GREEN, 1)],
        words=_YES_NO,
    ),
    stat(
        "Live version",
        "The version that answers now. Empty: none is live; manage.py register_models makes one "
        "live where none is.",
        "string",
        sql("SELECT version FROM catsdogs_figures.versions() WHERE is_live"),
        text=True,
    ),
    stat(
        "Answers per minute",
        "Over the last five minutes. 0 by day: send a photo yourself, from outside, through the "
        "proxy.",
        "short",
        promql("catsdogs:predictions:rate5m * 60", instant=True),
    ),
    stat(
        "Failed requests",
        "Requests of people answered with a 5xx, of all, over five minutes. Above 5 %: look for "
        'lines with "level": "error" in the log.',
        "percentunit",
        promql("catsdogs:errors:share5m", instant=True),
        steps=[(YELLOW, 0.01), (RED, 0.05)],
    ),
    stat(
        "Photos waiting for a turn",
        "Photos that wait for a free core. Always above 8: more photos come than this machine "
        "answers; add cores or servers.",
        "short",
        promql("sum(catsdogs_queue_waiting)", instant=True),
        steps=[(YELLOW, 4), (RED, 8)],
    ),
]

_SPOOL = [
    lines(
        "Answers waiting on disk",
        "Answers that people got and the database did not take yet. A hill is an outage that is "
        "over; a line that stays up while the database is up: the server's log says what it "
        "refuses. Remove nothing in var/spool.",
        "short",
        promql("sum by (instance) (catsdogs_spool_waiting)", "{{instance}}"),
        promql("sum by (instance) (catsdogs_spool_rejected)", "{{instance}}, set aside"),
    ),
]

_REQUESTS = [
    lines(
        "Requests by route",
        "What is asked for. A route that suddenly leads: find who asks in the log, by `person`.",
        "reqps",
        promql(
            f"sum by (route) (rate(catsdogs_http_requests_total{{{_PEOPLE}}}[$__rate_interval]))",
            "{{route}}",
        ),
        stacked=True,
    ),
    lines(
        "Responses by status",
        "4xx are refusals, 5xx are our fault: a rise of 5xx is in the log with its traceback.",
        "reqps",
        promql(
            f"sum by (status) (rate(catsdogs_http_requests_total{{{_PEOPLE}}}[$__rate_interval]))",
            "{{status}}",
        ),
        stacked=True,
    ),
    lines(
        "Time to answer a photo",
        "From the request to the response, for photos. p95 above 1 s: compare with the next panel; "
        "where decoding and network are fast, photos wait for a turn or for the database.",
        "s",
        *(
            promql(
                _quantile(share, "catsdogs_http_request_seconds", 'route=~"classify|api-predict"'),
                f"p{share * 100:.0f}",
            )
            for share in (0.5, 0.95, 0.99)
        ),
        limit=1,
    ),
    lines(
        "Where the time goes (p95)",
        "Network slow: a busy machine or a slow version; was one promoted just then? Decoding "
        "slow: huge photos; see Drift and data.",
        "s",
        promql(_quantile(0.95, "catsdogs_inference_seconds"), "network"),
        promql(_quantile(0.95, "catsdogs_decode_seconds"), "decoding"),
    ),
]

_PHOTOS = [
    lines(
        "Logged time per photo",
        "From upload to logged answer, from the log of predictions: also of times when Prometheus "
        "was away, and of one version. A step at a promotion is the new version's doing.",
        "ms",
        sql(
            f"""
SELECT at AS "time", p50, p95, p99
FROM {by_interval("percentiles", "total_ms")}
ORDER BY 1
""",
            series=True,
        ),
        limit=1000,
    ),
    lines(
        "Time in the network",
        "The network alone. Compare versions by choosing one above; roll back where a new one is "
        "too slow.",
        "ms",
        sql(
            f"""
SELECT at AS "time", p50, p95, p99
FROM {by_interval("percentiles", "inference_ms")}
ORDER BY 1
""",
            series=True,
        ),
    ),
    lines(
        "Predictions",
        "Photos answered in each interval. A gap by day: nobody got through; look at the proxy.",
        "short",
        sql(
            f"""
SELECT at AS "time", sum(count) AS predictions
FROM {by_interval("answers")}
GROUP BY 1 ORDER BY 1
""",
            series=True,
        ),
        stacked=True,
    ),
    lines(
        "Refusals by cause",
        "Photos that got no answer. broken_image, unsupported_format: a caller sends rubbish; "
        "too_large: a new camera; overloaded: more servers; no_live_model: promote one.",
        "short",
        sql(
            """
SELECT at AS "time", code AS metric, count AS value
FROM catsdogs_figures.refusals($__timeFrom(), $__timeTo(), '$interval')
ORDER BY 1, 2
""",
            series=True,
        ),
        stacked=True,
    ),
    lines(
        "Queue",
        "Photos in the network and photos waiting. A queue that never empties needs more cores.",
        "short",
        promql("sum(catsdogs_queue_in_flight)", "in the network"),
        promql("sum(catsdogs_queue_waiting)", "waiting"),
    ),
    lines(
        "Workers by loaded version",
        "Worker processes by the version they answer with. Two versions for longer than a minute: "
        "one server cannot load the new one; its /readyz says why.",
        "short",
        promql("sum by (version) (catsdogs_workers)", "{{version}}"),
    ),
]

_DATABASE = [
    table(
        "Versions",
        "All that are known, the newest first, with the accuracy on their holdout. To go back: "
        "manage.py promote_model NAME.",
        sql(
            """
SELECT version, architecture, is_live AS live, trained_at AS trained, promoted_at AS promoted,
  holdout_accuracy AS "holdout accuracy"
FROM catsdogs_figures.versions() ORDER BY trained_at DESC, version DESC
"""
        ),
        units={
            "holdout accuracy": "percentunit",
            "trained": "dateTimeAsIso",
            "promoted": "dateTimeAsIso",
        },
        width=16,
    ),
    stat(
        "Database size",
        "All tables and indexes. Compare with the free room on the database's disk.",
        "bytes",
        sql("SELECT pg_database_size(current_database()) AS size"),
        width=8,
    ),
]

SERVICE = dashboard(
    "catsdogs-service",
    "catsdogs: Service",
    "Does it answer, how fast, and what does it refuse?",
    *_NOW,
    *_REQUESTS,
    *_PHOTOS,
    *_SPOOL,
    *_DATABASE,
    since="now-24h",
    interval="1h",
    refresh="30s",
)
