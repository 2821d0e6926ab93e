"""Alert rules of Grafana: the ones that only Prometheus or only the database can see, in one place.

To change a limit, change the number here and run `python -m grafana.build`.
"""

# ruff: noqa: S608  the queries are put together from this folder alone
from dataclasses import dataclass
from typing import Any

from grafana.panels import POSTGRES, PROMETHEUS, Json

_MINUTES, _HOURS, _DAYS = 60, 3600, 86400


@dataclass(frozen=True)
class Alert:
    """Something that someone should act on.

    Attributes:
        name: Unique, and its `uid`.
        query: SQL, or PromQL: numbers, none at all where there is nothing to judge.
        is_sql: Which of the two.
        above: Whether too much is wrong, else too little is.
        limit: Beyond it is wrong.
        seconds: The time that the query is about, up to now.
        lasting: How long it must be wrong.
        severity: "critical", "warning" or "info".
        summary: What is wrong, for the mail's subject.
        means: What that means.
        action: What to do.
        panel: Dashboard and title of the panel to look at.
        silence: State while the query has no data, or its data source does not answer.
    """

    name: str
    query: str
    is_sql: bool
    above: bool
    limit: float
    seconds: int
    lasting: str
    severity: str
    summary: str
    means: str
    action: str
    panel: tuple[str, str]
    silence: tuple[str, str] = ("OK", "KeepLast")


_PERIOD = "$__timeFrom(), $__timeTo()"

ALERTS = (
    Alert(
        "site-down",
        'min(up{job="catsdogs"})',
        is_sql=False,
        above=False,
        limit=1,
        seconds=5 * _MINUTES,
        lasting="1m",
        severity="critical",
        summary="The site does not answer.",
        means="Prometheus has asked /metrics in vain for a minute, or Prometheus itself is away.",
        action="Ask /healthz. No answer: start the server and read its log. An answer: is "
        "Prometheus running, and has it the right CATSDOGS_METRICS_TOKEN?",
        panel=("catsdogs-service", "Site up"),
        silence=("Alerting", "Alerting"),
    ),
    Alert(
        "database-down",
        "min(catsdogs_database_up)",
        is_sql=False,
        above=False,
        limit=1,
        seconds=5 * _MINUTES,
        lasting="1m",
        severity="critical",
        summary="The database has not answered for a minute.",
        means="The site gets no answer from the database within 3 s; no photo's answer is logged.",
        action="Is PostgreSQL running, is its disk full, does DATABASE_URL still name it? The site "
        "goes on by itself once it is back.",
        panel=("catsdogs-service", "Database up"),
    ),
    Alert(
        "answers-wait",
        "max(catsdogs_spool_oldest_seconds and on (instance) catsdogs_database_up == 1)",
        is_sql=False,
        above=True,
        limit=300,
        seconds=5 * _MINUTES,
        lasting="3m",
        severity="critical",
        summary="Answers wait on disk to be logged, though the database answers.",
        means="People get their answers; the rows are on a server's disk for over five minutes.",
        action="The server's log says what the database refuses: is it read-only, is its disk "
        "full, has manage.py migrate been run? Remove nothing in var/spool.",
        panel=("catsdogs-service", "Answers waiting on disk"),
    ),
    Alert(
        "answers-set-aside",
        "sum(catsdogs_spool_rejected)",
        is_sql=False,
        above=True,
        limit=0,
        seconds=5 * _MINUTES,
        lasting="1m",
        severity="warning",
        summary="Answers were set aside: the database can never take them.",
        means="They lie in var/spool in files called .rejected, and are in no figure.",
        action="Look into them: is a version gone from the database? Bring it back, rename the "
        "files to .jsonl, and they are tried again. Else keep them elsewhere.",
        panel=("catsdogs-service", "Answers waiting on disk"),
    ),
    Alert(
        "no-live-version",
        '(sum(catsdogs_workers) or vector(0)) and on () max(up{job="catsdogs"}) == 1',
        is_sql=False,
        above=False,
        limit=1,
        seconds=5 * _MINUTES,
        lasting="2m",
        severity="critical",
        summary="No worker has a version loaded: every photo gets a 503.",
        means="The site is there, and no process of it has loaded the live version.",
        action="/readyz names the reason. manage.py register_models makes a version live where "
        "none is; manage.py promote_model NAME chooses another.",
        panel=("catsdogs-service", "Workers by loaded version"),
    ),
    Alert(
        "failed-requests",
        "catsdogs:errors:share5m and on () catsdogs:requests:rate5m > 0.02",
        is_sql=False,
        above=True,
        limit=0.05,
        seconds=5 * _MINUTES,
        lasting="5m",
        severity="critical",
        summary="Over 5 % of the requests fail on our side.",
        means="People's requests have been answered with a 5xx for five minutes.",
        action='Look for lines with "level": "error" in the log: each has the traceback under the '
        "request's id.",
        panel=("catsdogs-service", "Responses by status"),
    ),
    Alert(
        "slow-answers",
        f"SELECT p95 FROM catsdogs_figures.percentiles('total_ms', {_PERIOD})",
        is_sql=True,
        above=True,
        limit=1000,
        seconds=5 * _MINUTES,
        lasting="5m",
        severity="warning",
        summary="One answer in twenty takes over a second.",
        means="The 95th percentile of the time from upload to answer has been over 1 s.",
        action="See where the time goes: the network slow means a busy machine or a slow version, "
        "so look when it was promoted; all parts fast means waiting for a turn or the database.",
        panel=("catsdogs-service", "Logged time per photo"),
    ),
    Alert(
        "low-agreement",
        f"""
SELECT catsdogs_figures.wilson_high(
  coalesce(sum(count) FILTER (WHERE agrees), 0), sum(count)) AS high
FROM catsdogs_figures.opinions({_PERIOD})
HAVING sum(count) >= 30
""",
        is_sql=True,
        above=False,
        limit=0.85,
        seconds=1 * _DAYS,
        lasting="10m",
        severity="warning",
        summary="People agree with fewer than 85 % of our answers.",
        means="Even the upper end of the 95 % interval is below 85 %, of at least 30 opinions on "
        "the answers of the last day: that is no chance.",
        action="See which label and which version. Since a promotion: roll back. Else look at the "
        "mistakes in the review queue, approve them, and retrain.",
        panel=("catsdogs-quality", "Agreement over time"),
    ),
    Alert(
        "many-unsure",
        f"""
SELECT
  (coalesce(sum(count) FILTER (WHERE answer IN ('unsure', 'neither')), 0) / sum(count))::float8
  AS share
FROM catsdogs_figures.answers({_PERIOD})
HAVING sum(count) >= 50
""",
        is_sql=True,
        above=True,
        limit=0.3,
        seconds=1 * _HOURS,
        lasting="10m",
        severity="warning",
        summary="Over 30 % of the answers are unsure or neither.",
        means="Nearly a third of the photos of the last hour got no label, of at least 50.",
        action="Look at some of these photos in the admin. Dark, blurred or of something else: "
        "tell who sends them. Good ones: the version is too careful; roll back or retrain.",
        panel=("catsdogs-drift", "Share of unsure and neither"),
    ),
    Alert(
        "one-sided",
        f"""
SELECT (max(n) / sum(n))::float8 AS share
FROM (
  SELECT a.answer, sum(a.count) AS n
  FROM catsdogs_figures.answers({_PERIOD}) AS a
  WHERE a.answer NOT IN ('unsure', 'neither')
  GROUP BY 1
) AS labels
HAVING sum(n) >= 50
""",
        is_sql=True,
        above=True,
        limit=0.8,
        seconds=1 * _HOURS,
        lasting="10m",
        severity="warning",
        summary="One label makes up over 80 % of the answers.",
        means="Of at least 50 photos of the last hour that got a label, four in five got the same, "
        "so another label is below 20 %.",
        action="Look at some photos in the admin. If they show it, one sender sends one kind: all "
        "is well. If not, the version broke: roll back.",
        panel=("catsdogs-drift", "Answers"),
    ),
    Alert(
        "drift",
        f"SELECT measure, index / alarm_limit AS times FROM catsdogs_figures.drift({_PERIOD}) "
        "WHERE reference = 'baseline' AND photos >= 200",
        is_sql=True,
        above=True,
        # Six measures are looked at each minute: once in a thousand times would be often.
        limit=2,
        seconds=1 * _HOURS,
        lasting="10m",
        severity="warning",
        summary="The photos, or the answers, are not what they were when the version went live.",
        means="A measure of the last hour is twice as far from the version's first thousand "
        "predictions as chance goes once in a thousand times, of at least 200 photos. The label "
        "`measure` names it.",
        action="Find out what changed and since when: a new sender, a camera gone dark. If it is "
        "to stay, review such photos and retrain.",
        panel=("catsdogs-drift", "Drift"),
    ),
    Alert(
        "many-refusals",
        f"""
SELECT (refused / (refused + answered))::float8 AS share
FROM (SELECT coalesce(sum(count), 0) AS refused FROM catsdogs_figures.refusals({_PERIOD})) AS r,
  (SELECT coalesce(sum(count), 0) AS answered FROM catsdogs_figures.answers({_PERIOD})) AS a
WHERE refused >= 20
""",
        is_sql=True,
        above=True,
        limit=0.5,
        seconds=15 * _MINUTES,
        lasting="5m",
        severity="warning",
        summary="Over half of the photos that come are refused.",
        means="More photos were refused than answered in the last 15 minutes, at least 20.",
        action="See by which cause. broken_image or unsupported_format: a caller sends rubbish, "
        "find it in the log by `refusals`; too_large: a new camera; overloaded: more servers.",
        panel=("catsdogs-service", "Refusals by cause"),
    ),
    Alert(
        "no-traffic",
        f"SELECT coalesce(sum(count), 0) AS predictions FROM catsdogs_figures.answers({_PERIOD})",
        is_sql=True,
        above=False,
        limit=1,
        seconds=15 * _MINUTES,
        lasting="1m",
        severity="info",
        summary="Nobody has got an answer for a quarter of an hour.",
        means="No prediction was logged for 15 minutes: quiet times, or people do not get through.",
        action="Send a photo yourself, from outside, through the proxy. If that works and nights "
        "are quiet here, add a mute timing for the night.",
        panel=("catsdogs-service", "Predictions"),
    ),
    Alert(
        "old-version",
        "SELECT extract(epoch FROM now() - trained_at)::float8 / 86400 AS days "
        "FROM catsdogs_figures.versions() WHERE is_live",
        is_sql=True,
        above=True,
        limit=90,
        seconds=1 * _HOURS,
        lasting="1h",
        severity="info",
        summary="The live version was trained over 90 days ago.",
        means="What people told us since is in no version that answers.",
        action="Review what waits, and start a retraining; if its verdict is a refusal, that is an "
        "answer, too: raise the limit.",
        panel=("catsdogs-feedback", "Live version trained"),
    ),
    Alert(
        "training-failed",
        f"SELECT count(*) AS failed FROM catsdogs_figures.training_runs({_PERIOD}) "
        "WHERE state IN ('failed', 'lost')",
        is_sql=True,
        above=True,
        limit=0,
        seconds=6 * _HOURS,
        lasting="0s",
        severity="warning",
        summary="A retraining has failed, or was lost.",
        means="What was learnt from feedback lately became no version; the live one goes on.",
        action="The run's page shows its log and why it failed; start it again there.",
        panel=("catsdogs-feedback", "Retrainings"),
    ),
)


def rule(alert: Alert, dashboards: dict[str, Json]) -> Json:
    """The rule as Grafana's provisioning wants it: query, reduced to its last value, compared."""
    uid, title = alert.panel
    panel = next(panel for panel in dashboards[uid]["panels"] if panel["title"] == title)
    no_data, error = alert.silence
    return {
        "uid": f"catsdogs-{alert.name}",
        "title": alert.summary.rstrip("."),
        "condition": "C",
        "data": [_query(alert), _reduced(), _compared(alert)],
        "dashboardUid": uid,
        "panelId": panel["id"],
        "noDataState": no_data,
        "execErrState": error,
        "for": alert.lasting,
        "annotations": {
            "summary": alert.summary,
            "description": alert.means,
            "action": alert.action,
        },
        "labels": {"severity": alert.severity, "app": "catsdogs"},
        "isPaused": False,
    }


def _query(alert: Alert) -> Json:
    source = POSTGRES if alert.is_sql else PROMETHEUS
    model: dict[str, Any] = {"refId": "A", "datasource": source, "editorMode": "code"}
    if alert.is_sql:
        model |= {"format": "table", "rawQuery": True, "rawSql": alert.query.strip()}
    else:
        model |= {"expr": alert.query, "instant": True, "range": False}
    return {
        "refId": "A",
        "relativeTimeRange": {"from": alert.seconds, "to": 0},
        "datasourceUid": source["uid"],
        "model": model,
    }


def _reduced() -> Json:
    return _expression("B", {"type": "reduce", "expression": "A", "reducer": "last"})


def _compared(alert: Alert) -> Json:
    condition = {
        "type": "query",
        "evaluator": {"type": "gt" if alert.above else "lt", "params": [alert.limit]},
        "operator": {"type": "and"},
        "query": {"params": ["B"]},
        "reducer": {"type": "last", "params": []},
    }
    return _expression("C", {"type": "threshold", "expression": "B", "conditions": [condition]})


def _expression(ref: str, model: Json) -> Json:
    source = {"type": "__expr__", "uid": "__expr__"}
    return {
        "refId": ref,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": {"refId": ref, "datasource": source, **model},
    }


def rules(dashboards: dict[str, Json]) -> Json:
    """The file of all rules."""
    group = {
        "orgId": 1,
        "name": "catsdogs",
        "folder": "catsdogs",
        "interval": "1m",
        "rules": [rule(alert, dashboards) for alert in ALERTS],
    }
    return {"apiVersion": 1, "groups": [group]}
