"""Dashboard Drift and data: is something else sent, or answered, than the version was made for?"""

# ruff: noqa: S608  the queries are put together from this folder alone
from grafana.panels import RED, YELLOW, bars, by_interval, dashboard, lines, sql, stat, table, whole

_ANSWERS = whole("answers")
_OVER_TIME = by_interval("answers")


def _percentiles(measure: str) -> str:
    return f"""
SELECT at AS "time", p50, p95
FROM {by_interval("percentiles", measure)}
ORDER BY 1
"""


_NOW = [
    stat(
        "Photos",
        "Predictions in this time: with fewer than 50, drift is not computed.",
        "short",
        sql(f"SELECT coalesce(sum(count), 0) AS photos FROM {_ANSWERS}"),
    ),
    stat(
        "Measures beyond their limit",
        "How many measures of the table below have moved from the baseline further than chance "
        "explains. Any: look which, and since when, in the panels under it.",
        "short",
        sql(
            """
SELECT count(*) FILTER (WHERE reference = 'baseline' AND index > alarm_limit) AS alarms
FROM catsdogs_figures.drift($__timeFrom(), $__timeTo(), ${version:sqlstring})
"""
        ),
        steps=[(RED, 1)],
    ),
    stat(
        "unsure or neither",
        "Answers that help nobody, of all. Above 30 %: other photos are sent, or the version is "
        "too careful; look at some in the admin.",
        "percentunit",
        sql(
            f"""
SELECT (sum(count) FILTER (WHERE answer IN ('unsure', 'neither')) / sum(count))::float8 AS share
FROM (SELECT answer, count FROM {_ANSWERS} UNION ALL SELECT 'unsure', 0) AS a
HAVING sum(count) > 0
"""
        ),
        steps=[(YELLOW, 0.2), (RED, 0.3)],
    ),
    stat(
        "Low confidence",
        "Predictions less than 80 % sure, whatever the version calls unsure, of all. A rise: "
        "harder photos, for instance a camera gone dark.",
        "percentunit",
        sql(
            f"""
SELECT (coalesce(sum(count) FILTER (WHERE bin < 80), 0) / nullif(sum(count), 0))::float8 AS share
FROM {whole("bins", "confidence")}
"""
        ),
    ),
    stat(
        "Median novelty",
        "How unlike the training photos half of the photos are at least, from 0 to 1. A rise: "
        "something new is sent; review it, and train on it if it should be known.",
        "percentunit",
        sql(
            f"""
SELECT p50 FROM {whole("percentiles", "novelty")}
"""
        ),
    ),
    stat(
        "Median photo",
        "Width times height of the photo in the middle. A fall: somebody sends thumbnails.",
        "short",
        sql(
            f"""
SELECT p50 AS pixels FROM {whole("percentiles", "pixels")}
"""
        ),
    ),
]

_MOVED = [
    table(
        "Drift",
        "How far each measure has moved from its reference: the version's holdout, or its first "
        "thousand predictions (baseline). An index above its limit is no chance: find out what "
        "changed, and retrain on what is sent now. People may send something else than the holdout "
        "from the first day on. All: the live version.",
        sql(
            """
SELECT measure, reference, index, alarm_limit AS "limit", index > alarm_limit AS alarm, photos,
  reference_photos AS "reference photos"
FROM catsdogs_figures.drift($__timeFrom(), $__timeTo(), ${version:sqlstring})
ORDER BY index / alarm_limit DESC
"""
        ),
        width=24,
    ),
]

_ANSWERED = [
    lines(
        "Answers",
        "What people were told, in each interval. One label only: a camera that stands still, or a "
        "version that broke; look at some photos in the admin.",
        "short",
        sql(
            f"""
SELECT at AS "time", answer AS metric, sum(count) AS value
FROM {_OVER_TIME}
GROUP BY 1, 2 ORDER BY 1, 2
""",
            series=True,
        ),
        stacked=True,
    ),
    lines(
        "Share of unsure and neither",
        "Of all predictions. A rise at a promotion is the version's doing, else the photos'.",
        "percentunit",
        sql(
            f"""
SELECT at AS "time",
  coalesce(sum(count) FILTER (WHERE answer = 'unsure'), 0)::float8 / sum(count)::float8 AS unsure,
  coalesce(sum(count) FILTER (WHERE answer = 'neither'), 0)::float8 / sum(count)::float8 AS neither
FROM {_OVER_TIME}
GROUP BY 1 ORDER BY 1
""",
            series=True,
        ),
        highest=1,
    ),
    lines(
        "Confidence",
        "Half of the answers are surer than this. A fall without a promotion means harder or other "
        "photos: see Novelty and Pixels.",
        "percentunit",
        sql(
            f"""
SELECT at AS "time", p50 AS median
FROM {by_interval("percentiles", "confidence")}
ORDER BY 1
""",
            series=True,
        ),
        lowest=None,
        highest=1,
    ),
    lines(
        "Novelty",
        "How unlike the training photos what comes in is. A rise of p95 alone: a few strange "
        "photos; of p50: a new source. Review them.",
        "percentunit",
        sql(_percentiles("novelty"), series=True),
        highest=1,
    ),
]

_SENT = [
    bars(
        "Formats",
        "What kinds of files are answered. A new one: try some by hand; one gone: a client broke.",
        "short",
        sql(
            f"""
SELECT format, sum(count) AS predictions
FROM {_ANSWERS}
GROUP BY 1 ORDER BY 2 DESC, 1
"""
        ),
        width=8,
    ),
    lines(
        "Pixels per photo",
        "Width times height. Below about 10 000, photos say little and answers get worse: ask the "
        "sender for larger ones.",
        "short",
        sql(_percentiles("pixels"), series=True),
        width=8,
    ),
    lines(
        "Bytes per photo",
        "File sizes. p95 near CATSDOGS_PHOTO_MAX_BYTES: photos are being refused; raise it.",
        "bytes",
        sql(_percentiles("bytes"), series=True),
        width=8,
    ),
]

DRIFT = dashboard(
    "catsdogs-drift",
    "catsdogs: Drift and data",
    "Is something else sent, or answered, than the version was made for?",
    *_NOW,
    *_MOVED,
    *_ANSWERED,
    *_SENT,
    since="now-7d",
    interval="6h",
    refresh="5m",
)
