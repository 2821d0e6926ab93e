"""Rules on the service: does it answer, in time, and does anybody still ask."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from classifier.models import ModelVersion, Server
from classifier.numerals import number, percent
from monitoring import figures
from monitoring.figures import Period, Share
from monitoring.incidents import Incident
from monitoring.judges.measured import Measured, is_above
from monitoring.rules import Rule
from monitoring.saying import later


def servers(rule: Rule, now: datetime) -> Measured | None:
    """Where no process has ever said that it lives, or all have said goodbye, nothing is wrong."""
    live = ModelVersion.objects.live().first()
    if live is None or not Server.objects.exists():
        return None
    alive = list(Server.objects.alive(now))
    if any(server.version == live.name for server in alive):
        return None
    problems = sorted({server.problem for server in alive if server.problem})

    def words() -> str:
        told = ngettext(
            "%(count)s servers live, and none of them has %(version)s loaded.",
            "%(count)s servers live, and none of them has %(version)s loaded.",
            len(alive),
        ) % {"count": len(alive), "version": live.name}
        if not problems:
            return told
        return _("%(told)s They say: %(problems)s") % {
            "told": told,
            "problems": " ".join(problems),
        }

    return Measured(later(words), value=0, limit=1)


def spool(rule: Rule, now: datetime) -> Measured | None:
    found, limit = figures.spool(), timedelta(minutes=rule["minutes"])
    if found.since is None or now - found.since <= limit:
        return None
    minutes = (now - found.since) / timedelta(minutes=1)

    def words() -> str:
        return ngettext(
            "%(count)s answer waits on disk, the first one for %(minutes)s minutes, though the "
            "database answers. The limit is %(limit)s minutes.",
            "%(count)s answers wait on disk, the first one for %(minutes)s minutes, though the "
            "database answers. The limit is %(limit)s minutes.",
            found.waiting,
        ) % {
            "count": number(f"{found.waiting:,}"),
            "minutes": f"{minutes:.0f}",
            "limit": rule["minutes"],
        }

    return Measured(later(words), minutes, rule["minutes"], found.waiting)


def rejected(rule: Rule, now: datetime) -> Measured | None:
    count = figures.spool().rejected
    if not count:
        return None

    def words() -> str:
        return ngettext(
            "%(count)s answer lies in var/spool in files called .rejected.",
            "%(count)s answers lie in var/spool in files called .rejected.",
            count,
        ) % {"count": count}

    return Measured(later(words), count, 0, count)


def slow(rule: Rule, now: datetime) -> Measured | None:
    found = figures.latency(Period.last(timedelta(minutes=rule["minutes"]), until=now))
    limit, p95 = rule["limit_ms"], found.total.p95
    if p95 is None or found.count < rule["min_photos"] or p95 <= limit:
        return None
    inference = found.inference.p95 or 0.0

    def words() -> str:
        return _(
            "One answer in twenty took over %(p95)s ms in the last %(minutes)s minutes "
            "(%(count)s photos; in the network %(inference)s ms). The limit is %(limit)s ms."
        ) % {
            "p95": number(f"{p95:,.0f}"),
            "minutes": rule["minutes"],
            "count": found.count,
            "inference": number(f"{inference:,.0f}"),
            "limit": number(f"{limit:,}"),
        }

    return Measured(later(words), p95, limit, found.count)


def refusals(rule: Rule, now: datetime) -> Measured | None:
    period = Period.last(timedelta(minutes=rule["minutes"]), until=now)
    codes = figures.refusals(period).by_code
    codes = {code: count for code, count in codes.items() if code not in rule["leave_out"]}
    refused = sum(codes.values())
    share = Share(refused, refused + figures.answers(period).count)
    if share.count < rule["min_photos"] or not is_above(share, rule["limit"]):
        return None

    def words() -> str:
        return _(
            "%(share)s of the %(count)s photos of the last %(minutes)s minutes were refused "
            "(%(codes)s). At most %(limit)s is the limit."
        ) % {
            "share": percent(share.share or 0.0),
            "count": share.count,
            "minutes": rule["minutes"],
            "codes": ", ".join(f"{code} {count}" for code, count in codes.items()),
            "limit": percent(rule["limit"]),
        }

    return Measured(later(words), share.share or 0.0, rule["limit"], share.count)


def quiet(rule: Rule, now: datetime) -> Measured | None:
    window, day = timedelta(minutes=rule["minutes"]), timedelta(days=1)
    if _count(Period.last(window, until=now)) or _was_away(now - window):
        return None
    before = [_count(Period.last(window, until=now - i * day)) for i in range(1, 8)]
    busy = sorted(count for count in before if count >= rule["usually"])
    if len(busy) < rule["days"]:
        return None

    def words() -> str:
        return _(
            "No photo was answered in the last %(minutes)s minutes. On %(days)s of the last 7 days "
            "at least %(photos)s were, at this hour."
        ) % {"minutes": rule["minutes"], "days": len(busy), "photos": busy[0]}

    return Measured(later(words), 0, busy[0], 0)


def _was_away(since: datetime) -> bool:
    """Whether the database was away lately: nothing could be logged then."""
    away = Incident.objects.filter(rule="database")
    return away.unfinished().exists() or away.filter(seen_at__gte=since).exists()


def old(rule: Rule, now: datetime) -> Measured | None:
    found, limit = figures.model_age(now), rule["limit_days"]
    if found.since_training is None or found.since_training <= timedelta(days=limit):
        return None
    days = found.since_training / timedelta(days=1)

    def words() -> str:
        return _("%(version)s was trained %(days)s days ago; the limit is %(limit)s.") % {
            "version": found.version,
            "days": f"{days:.0f}",
            "limit": limit,
        }

    return Measured(later(words), days, limit)


def backlog(rule: Rule, now: datetime) -> Measured | None:
    found, limit = figures.review_backlog().photos, rule["limit_photos"]
    if found <= limit:
        return None

    def words() -> str:
        return ngettext(
            "%(count)s photo waits for a reviewer; the limit is %(limit)s.",
            "%(count)s photos wait for a reviewer; the limit is %(limit)s.",
            found,
        ) % {"count": found, "limit": limit}

    return Measured(later(words), found, limit, found)


def _count(period: Period) -> int:
    return figures.answers(period).count
