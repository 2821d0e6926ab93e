"""The database is away: tell it without a database, and store it once there is one again."""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from monitoring import away
from monitoring.away import Away
from monitoring.delivering import key_of
from monitoring.incidents import Incident, Message, Silence
from monitoring.judging import DATABASE, Finding, database_away
from monitoring.rules import rules
from monitoring.telling import News, NotTold, channels, tell

logger = logging.getLogger(__name__)


def check_without_database(now: datetime) -> list[Finding]:
    """Note in a file that the database is away; tell it once it has lasted."""
    rule = rules().get(DATABASE)
    if rule is None:
        return []
    finding = database_away(rule)
    with away.turn() as is_ours:
        if is_ours:
            known = away.read()
            # A clock that was put back must not keep it untold for hours.
            known.since, known.seen_at = min(known.since or now, now), now
            if now - known.since >= timedelta(minutes=rule.lasts, seconds=-10):
                known.opened_at = known.opened_at or now
            away.write(known)
            if known.opened_at and not known.is_silenced(now):
                _tell_from_file(known, finding, now)
    return [finding]


def _tell_from_file(known: Away, finding: Finding, now: datetime) -> None:
    assert known.since is not None  # noqa: S101  it is away
    news = News(
        key=key_of(DATABASE, known.since),
        is_over=False,
        severity=finding.severity,
        title=finding.title,
        words=finding.words,
        do=finding.do,
        rule=DATABASE,
        since=known.since,
    )
    for channel in channels():
        if channel in known.told:
            continue
        try:
            tell(channel, news)
        except NotTold as problem:
            logger.error("No %s about the database: %s.", channel, problem)
            continue
        known.told[channel] = now
        away.write(known)  # at once: what was told is told, whatever becomes of the next one


def store_what_was_away(now: datetime) -> None:
    """Make the file's incident one like all others, and leave in the file what it is needed for."""
    known = away.read()
    if known == _to_remember(now):
        return
    with away.turn() as is_ours:
        if not is_ours:
            return
        known = away.read()
        if known.since and known.opened_at:
            with transaction.atomic():
                _store(known)
        away.write(_to_remember(now))


def _to_remember(now: datetime) -> Away:
    """What must be known when the database goes away next: silences, and who was told already."""
    silent = Silence.objects.in_force(now).filter(rule__in=["", DATABASE]).order_by("-until")
    begun = Message.objects.filter(
        kind=Message.Kind.BEGUN,
        sent_at__isnull=False,
        incident__in=Incident.objects.unfinished().filter(rule=DATABASE),
    )
    return Away(
        silent_until=silent.values_list("until", flat=True).first(),
        told={message.channel: message.sent_at for message in begun if message.sent_at},
    )


def _store(known: Away) -> None:
    rule = rules().get(DATABASE)
    if rule is None or known.since is None or known.seen_at is None:
        return
    incident = Incident.objects.unfinished().filter(rule=DATABASE).first() or Incident(
        rule=DATABASE, noticed_at=known.since, opened_at=known.opened_at
    )
    incident.describe(database_away(rule))
    incident.see(known.seen_at, lasts=rule.lasts)
    for channel, at in known.told.items():
        incident.messages.get_or_create(
            kind=Message.Kind.BEGUN, channel=channel, defaults={"sent_at": at}
        )
