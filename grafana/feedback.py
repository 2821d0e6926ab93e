"""Dashboard Feedback and review: do people tell us, and do we learn from it?"""

# ruff: noqa: S608  the queries are put together from this folder alone
from grafana.panels import (
    RED,
    YELLOW,
    by_interval,
    dashboard,
    lines,
    promql,
    sql,
    stat,
    table,
    whole,
)

_GIVEN = whole("feedback_given")

_NOW = [
    stat(
        "Predictions with feedback",
        "Of the predictions in this time. Below 1 %: agreement takes weeks to mean anything; are "
        "the buttons seen?",
        "percentunit",
        sql(
            """
SELECT (part / nullif(count, 0))::float8 AS share
FROM catsdogs_figures.with_feedback($__timeFrom(), $__timeTo(), ${version:sqlstring})
"""
        ),
    ),
    stat(
        "Feedback given",
        "In this time, on predictions of whatever age.",
        "short",
        sql(f"SELECT coalesce(sum(count), 0) AS feedback FROM {_GIVEN}"),
    ),
    stat(
        "May be learnt from",
        "Feedback whose giver lets us train on the photo, of all given. Without it there is "
        "nothing to review: read the question that is put to people.",
        "percentunit",
        sql(
            f"""
SELECT
  (coalesce(sum(count) FILTER (WHERE may_learn), 0) / nullif(sum(count), 0))::float8 AS share
FROM {_GIVEN}
"""
        ),
    ),
    stat(
        "Photos to review",
        "Photos with feedback that may be learnt from, and nobody's decision. Above 200: review "
        "some; the most telling come first in the queue.",
        "short",
        sql("SELECT photos FROM catsdogs_figures.review_backlog()"),
        steps=[(YELLOW, 100), (RED, 200)],
    ),
    stat(
        "Oldest waits since",
        "How long the first photo in the queue has waited. Over a month: what people tell us is "
        "not used; review, or ask for another reviewer.",
        "s",
        sql(
            """
SELECT extract(epoch FROM now() - oldest)::float8 AS seconds FROM catsdogs_figures.review_backlog()
"""
        ),
        steps=[(YELLOW, 14 * 86400), (RED, 30 * 86400)],
    ),
    stat(
        "Live version trained",
        "How long ago. Over 90 days with feedback approved since: retrain.",
        "s",
        sql(
            """
SELECT extract(epoch FROM now() - trained_at)::float8 AS seconds
FROM catsdogs_figures.versions() WHERE is_live
"""
        ),
        steps=[(YELLOW, 60 * 86400), (RED, 90 * 86400)],
    ),
]

_OVER_TIME = [
    lines(
        "Feedback by opinion",
        "By when it was given. A wave of wrong without one of predictions: one person's; look at "
        "it in the admin before it is learnt from.",
        "short",
        sql(
            f"""
SELECT at AS "time", CASE WHEN agrees THEN 'right' ELSE 'wrong' END AS metric, sum(count) AS value
FROM {by_interval("feedback_given")}
GROUP BY 1, 2 ORDER BY 1, 2
""",
            series=True,
        ),
        stacked=True,
    ),
    lines(
        "Reviews by decision",
        "What reviewers decided. Nothing for weeks while photos wait: nobody reviews.",
        "short",
        sql(
            """
SELECT at AS "time", label AS metric, count AS value
FROM catsdogs_figures.reviews($__timeFrom(), $__timeTo(), '$interval')
ORDER BY 1, 2
""",
            series=True,
        ),
        stacked=True,
    ),
    lines(
        "Feedback per minute, as counted",
        "From the servers' own counts, at once. Feedback here and none in the panels above: it is "
        "not written down; is the database up?",
        "short",
        promql("60 * sum by (kind) (rate(catsdogs_feedback_total[$__rate_interval]))", "{{kind}}"),
    ),
    lines(
        "Review backlog over time",
        "Photos that wait, as seen by Prometheus. It only ever rises: more reviewers, or fewer "
        "photos asked about.",
        "short",
        promql("max(catsdogs_review_backlog)", "photos"),
    ),
]

_LOOP = [
    table(
        "Retrainings",
        "Failed or lost: read the run's log on its page, and start it again there. Refused: the "
        "verdict on the page says which check failed.",
        sql(
            """
SELECT at AS asked, state, outcome, photos, candidate, seconds
FROM catsdogs_figures.training_runs($__timeFrom(), $__timeTo()) ORDER BY 1 DESC
"""
        ),
        units={"asked": "dateTimeAsIso", "seconds": "s"},
        width=12,
    ),
    table(
        "Promotions",
        "Which version took which one's place. A rollback: the version before it was worse; find "
        "out why before the next retraining.",
        sql(
            """
SELECT at, version, previous, is_rollback AS rollback
FROM catsdogs_figures.promotions($__timeFrom(), $__timeTo()) ORDER BY 1 DESC
"""
        ),
        units={"at": "dateTimeAsIso"},
        width=8,
    ),
    stat(
        "Photos withdrawn",
        "Photos the live version learnt from that were taken back or erased since. Any: the next "
        "retraining unlearns them; start one.",
        "short",
        sql("SELECT withdrawn_photos FROM catsdogs_figures.versions() WHERE is_live"),
        steps=[(YELLOW, 1)],
    ),
]

FEEDBACK = dashboard(
    "catsdogs-feedback",
    "catsdogs: Feedback and review",
    "Do people tell us, and do we learn from it?",
    *_NOW,
    *_OVER_TIME,
    *_LOOP,
    since="now-30d",
    interval="1d",
    refresh="5m",
)
