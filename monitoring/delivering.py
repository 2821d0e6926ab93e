"""Send the messages that are due: each once, in order, and again until it is sent."""

import logging
from datetime import datetime

from django.db.models import F

from monitoring.incidents import Incident, Message
from monitoring.saying import later
from monitoring.telling import News, NotTold, channels, tell

logger = logging.getLogger(__name__)


def deliver(now: datetime) -> None:
    """Send what is to be sent, in order; where a channel fails, no more is tried now."""
    broken: set[str] = set()
    for message in Message.objects.unsent().select_related("incident"):
        if message.channel in broken or message.channel not in channels():
            continue
        if not Message.objects.claim(message, now):
            broken.add(message.channel)  # somebody else is at it: what follows would overtake
            continue
        if not _send(message, now):
            broken.add(message.channel)


def _send(message: Message, now: datetime) -> bool:
    this = Message.objects.filter(pk=message.pk)
    try:
        tell(message.channel, _news(message.incident, message.kind))
    except NotTold as problem:
        logger.error("No %s about %s: %s.", message.channel, message.incident.rule, problem)
        this.update(claimed_at=None, tries=F("tries") + 1, problem=str(problem)[:200])
        return False
    this.update(sent_at=now, tries=F("tries") + 1, problem="")
    return True


def _news(incident: Incident, kind: str) -> News:
    return News(
        key=key_of(incident.rule, incident.noticed_at),
        is_over=kind == Message.Kind.OVER,
        severity=incident.severity,
        title=later(lambda: incident.said("title")),
        words=later(lambda: incident.said("words")),
        do=later(lambda: incident.said("do")),
        rule=incident.rule,
        since=incident.noticed_at,
        until=incident.over_at,
    )


def key_of(rule: str, since: datetime) -> str:
    return f"{rule}.{since:%Y%m%d%H%M%S%f}"
