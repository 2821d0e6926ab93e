"""Rules on the service: does it answer, in time, and does anybody still ask."""

from datetime import datetime, timedelta

from classifier.models import ModelVersion, Server
from monitoring import figures
from monitoring.figures import Period, Share
from monitoring.incidents import Incident
from monitoring.judges.measured import Measured, is_above, percent
from monitoring.rules import Rule


def servers(rule: Rule, now: datetime) -> Measured | None:
    """Where no process has ever said that it lives, or all have said goodbye, nothing is wrong."""
    live = ModelVersion.objects.live().first()
    if live is None or not Server.objects.exists():
        return None
    alive = list(Server.objects.alive(now))
    if any(server.version == live.name for server in alive):
        return None
    problems = sorted({server.problem for server in alive if server.problem})
    reason = f" They say: {' '.join(problems)}" if problems else ""
    words = f"{len(alive)} servers live, and none of them has {live} loaded.{reason}"
    return Measured(words, value=0, limit=1)


def spool(rule: Rule, now: datetime) -> Measured | None:
    found, limit = figures.spool(), timedelta(minutes=rule["minutes"])
    if found.since is None or now - found.since <= limit:
        return None
    minutes = (now - found.since) / timedelta(minutes=1)
    words = (
        f"{_answers_wait(found.waiting)} on disk, the first one for {minutes:.0f} minutes, though "
        f"the database answers. The limit is {rule['minutes']} minutes."
    )
    return Measured(words, minutes, rule["minutes"], found.waiting)


def rejected(rule: Rule, now: datetime) -> Measured | None:
    count = figures.spool().rejected
    if not count:
        return None
    lie = "1 answer lies" if count == 1 else f"{count} answers lie"
    return Measured(f"{lie} in var/spool in files called .rejected.", count, 0, count)


def _answers_wait(count: int) -> str:
    return "1 answer waits" if count == 1 else f"{count:,} answers wait"


def slow(rule: Rule, now: datetime) -> Measured | None:
    found = figures.latency(Period.last(timedelta(minutes=rule["minutes"]), until=now))
    limit, p95 = rule["limit_ms"], found.total.p95
    if p95 is None or found.count < rule["min_photos"] or p95 <= limit:
        return None
    inference = found.inference.p95 or 0.0
    return Measured(
        f"One answer in twenty took over {p95:,.0f} ms in the last {rule['minutes']} minutes "
        f"({found.count} photos; in the network {inference:,.0f} ms). The limit is {limit:,} ms.",
        p95,
        limit,
        found.count,
    )


def refusals(rule: Rule, now: datetime) -> Measured | None:
    period = Period.last(timedelta(minutes=rule["minutes"]), until=now)
    codes = figures.refusals(period).by_code
    codes = {code: count for code, count in codes.items() if code not in rule["leave_out"]}
    refused = sum(codes.values())
    share = Share(refused, refused + figures.answers(period).count)
    if share.count < rule["min_photos"] or not is_above(share, rule["limit"]):
        return None
    listed = ", ".join(f"{code} {count}" for code, count in codes.items())
    return Measured(
        f"{percent(share)} of the {share.count} photos of the last {rule['minutes']} minutes were "
        f"refused ({listed}). At most {rule['limit']:.0%} is the limit.",
        share.share or 0.0,
        rule["limit"],
        share.count,
    )


def quiet(rule: Rule, now: datetime) -> Measured | None:
    window, day = timedelta(minutes=rule["minutes"]), timedelta(days=1)
    if _count(Period.last(window, until=now)) or _was_away(now - window):
        return None
    before = [_count(Period.last(window, until=now - i * day)) for i in range(1, 8)]
    busy = sorted(count for count in before if count >= rule["usually"])
    if len(busy) < rule["days"]:
        return None
    return Measured(
        f"No photo was answered in the last {rule['minutes']} minutes. On {len(busy)} of the last "
        f"7 days at least {busy[0]} were, at this hour.",
        0,
        busy[0],
        0,
    )


def _was_away(since: datetime) -> bool:
    """Whether the database was away lately: nothing could be logged then."""
    away = Incident.objects.filter(rule="database")
    return away.unfinished().exists() or away.filter(seen_at__gte=since).exists()


def old(rule: Rule, now: datetime) -> Measured | None:
    found, limit = figures.model_age(now), rule["limit_days"]
    if found.since_training is None or found.since_training <= timedelta(days=limit):
        return None
    days = found.since_training / timedelta(days=1)
    words = f"{found.version} was trained {days:.0f} days ago; the limit is {limit}."
    return Measured(words, days, limit)


def backlog(rule: Rule, now: datetime) -> Measured | None:
    found, limit = figures.review_backlog().photos, rule["limit_photos"]
    if found <= limit:
        return None
    words = f"{found} photos wait for a reviewer; the limit is {limit}."
    return Measured(words, found, limit, found)


def _count(period: Period) -> int:
    return figures.answers(period).count
