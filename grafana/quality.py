"""Dashboard Model quality: are the answers right, and as often as they say?"""

# ruff: noqa: S608  the queries are put together from this folder alone
from grafana.panels import (
    GREEN,
    YELLOW,
    bars,
    by_interval,
    dashboard,
    lines,
    sql,
    stat,
    table,
    whole,
)

_OPINIONS = whole("opinions")
_ANSWERS = whole("answers")
_LABELS = "answer NOT IN ('unsure', 'neither')"
_RIGHT = "coalesce(sum(count) FILTER (WHERE agrees), 0)"
_BIASED = "People tell us of mistakes more often: watch its changes, not its height."


def _agreement_by(column: str) -> str:
    return f"""
SELECT {column}, {_RIGHT} AS "right", sum(count) AS feedback,
  {_RIGHT} / sum(count) AS agreement,
  catsdogs_figures.wilson_low({_RIGHT}, sum(count)) AS low,
  catsdogs_figures.wilson_high({_RIGHT}, sum(count)) AS high
FROM {_OPINIONS}
GROUP BY 1 ORDER BY 1
"""


_SHARES = {"agreement": "percentunit", "low": "percentunit", "high": "percentunit"}

_NOW = [
    stat(
        "Agreement",
        f"Feedback that says we were right, of all feedback on these predictions. {_BIASED} Below "
        "85 % with enough feedback: look at the review queue, then retrain or roll back.",
        "percentunit",
        sql(
            f"""
SELECT {_RIGHT} / nullif(sum(count), 0) AS agreement
FROM {_OPINIONS}
"""
        ),
        steps=[(YELLOW, 0.8), (GREEN, 0.85)],
    ),
    stat(
        "Its interval, low and high",
        "Where the agreement lies, 95 times in 100 (Wilson). Wide: too little feedback to say "
        "anything; wait, or ask for more.",
        "percentunit",
        sql(
            f"""
SELECT
  catsdogs_figures.wilson_low({_RIGHT}, sum(count)) AS low,
  catsdogs_figures.wilson_high({_RIGHT}, sum(count)) AS high
FROM {_OPINIONS}
"""
        ),
    ),
    stat(
        "Feedback",
        "Opinions on these predictions. Below 30, take no share on this page for the truth.",
        "short",
        sql(f"SELECT coalesce(sum(count), 0) AS feedback FROM {_OPINIONS}"),
    ),
    stat(
        "Estimated accuracy",
        "Without asking anybody: the mean calibrated confidence of answers that are a label. It "
        "falls before feedback comes; it is blind to strange photos, see Drift and data.",
        "percentunit",
        sql(
            f"""
SELECT sum(confidence_sum) / nullif(sum(count), 0)::float8 AS estimate
FROM {_ANSWERS}
WHERE {_LABELS}
"""
        ),
    ),
    stat(
        "Confidence of what was judged",
        "The mean confidence of the labels that people judged. Far above their agreement: "
        "the confidence is too high, or mistakes were judged more often; retrain, or review.",
        "percentunit",
        sql(
            f"""
SELECT sum(confidence_sum) / nullif(sum(count), 0)::float8 AS confidence,
  ({_RIGHT} / nullif(sum(count), 0))::float8 AS agreement
FROM {_OPINIONS}
WHERE {_LABELS}
"""
        ),
    ),
    stat(
        "Calibration error",
        "How far confidence and agreement are apart on average. Compare it with the version's "
        "card: much higher for weeks, retrain.",
        "percentunit",
        sql(
            f"""
SELECT sum(gap) / nullif(sum(count), 0)::float8 AS error
FROM (
  SELECT abs(sum(confidence_sum) - {_RIGHT}::float8) AS gap,
    sum(count) AS count
  FROM {_OPINIONS}
  WHERE answer <> 'neither'
  GROUP BY bin
) AS bins
"""
        ),
    ),
]

_OVER_TIME = [
    lines(
        "Agreement over time",
        f"With its 95 % interval, by when the predictions were made. {_BIASED} `high` below 85 %: "
        "the answers are worse; a step at a promotion: roll back.",
        "percentunit",
        sql(
            f"""
SELECT at AS "time",
  {_RIGHT}::float8 / sum(count)::float8 AS agreement,
  catsdogs_figures.wilson_low({_RIGHT}, sum(count)) AS low,
  catsdogs_figures.wilson_high({_RIGHT}, sum(count)) AS high
FROM {by_interval("opinions")}
GROUP BY 1 ORDER BY 1
""",
            series=True,
        ),
        highest=1,
        limit=0.85,
    ),
    lines(
        "Estimated accuracy over time",
        "Mean calibrated confidence of answers that are a label. A fall without a promotion: "
        "other photos are sent; see Drift and data.",
        "percentunit",
        sql(
            f"""
SELECT at AS "time", sum(confidence_sum) / sum(count)::float8 AS estimate
FROM {by_interval("answers")}
WHERE {_LABELS}
GROUP BY 1 ORDER BY 1
""",
            series=True,
        ),
        lowest=None,
        highest=1,
    ),
]

_BY = [
    table(
        "Agreement by answer",
        "By what we had answered. One label much lower than the other: look at its mistakes in the "
        "review queue, and approve them for training.",
        sql(_agreement_by("answer")),
        units=_SHARES,
    ),
    table(
        "Agreement by version",
        "Intervals that do not overlap tell versions apart. The live one lower: roll back with "
        "manage.py promote_model.",
        sql(_agreement_by("version")),
        units=_SHARES,
    ),
    bars(
        "Calibration",
        "Answers about equally sure: how sure they are, and how often people agree. Agreement far "
        "below confidence in the surest bars: the version is too sure of itself; retrain.",
        "percentunit",
        sql(
            f"""
SELECT round(bin / 15.0, 2) || '–' || round((bin + 1) / 15.0, 2) AS confidence,
  sum(confidence_sum) / sum(count)::float8 AS "mean confidence",
  {_RIGHT}::float8 / sum(count)::float8 AS agreement
FROM {_OPINIONS}
WHERE answer <> 'neither'
GROUP BY bin ORDER BY bin
"""
        ),
    ),
    bars(
        "Confidence",
        "How sure the answers are, all of them. Bars that move to the left: photos are harder than "
        "they were; see Drift and data.",
        "short",
        sql(
            f"""
SELECT round(floor(least(bin, 99) / 5.0) / 20, 2)::text AS "from", sum(count) AS predictions
FROM {whole("bins", "confidence")}
GROUP BY 1 ORDER BY 1
"""
        ),
    ),
]

QUALITY = dashboard(
    "catsdogs-quality",
    "catsdogs: Model quality",
    "Are the answers right, and as often as they say?",
    *_NOW,
    *_OVER_TIME,
    *_BY,
    since="now-30d",
    interval="1d",
    refresh="5m",
)
