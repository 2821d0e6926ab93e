"""Write down what a check found: incidents begin, last and end, and messages fall due."""

from datetime import datetime, timedelta

from django.db import transaction

from monitoring.incidents import Incident, Message, Silence, Watch
from monitoring.judging import Finding
from monitoring.rules import rules
from monitoring.telling import channels

# Two checkers at once count as one check: only what comes later than this after the last one.
LEAST_GAP = timedelta(seconds=25)


def note(findings: list[Finding], now: datetime) -> None:
    """Write it down, unless another process has just done so: one at a time does."""
    with transaction.atomic():
        if _is_our_turn(now):
            _note(findings, now)
            _write_messages(now)


def _is_our_turn(now: datetime) -> bool:
    Watch.objects.get_or_create(pk=1)
    watch = Watch.objects.select_for_update().get(pk=1)
    if watch.checked_at and timedelta(0) <= now - watch.checked_at < LEAST_GAP:
        return False
    watch.checked_at = now
    watch.save()
    return True


def _note(findings: list[Finding], now: datetime) -> None:
    in_force = rules()
    known = {incident.rule: incident for incident in Incident.objects.unfinished()}
    for finding in findings:
        incident = known.pop(finding.rule, None) or Incident(rule=finding.rule, noticed_at=now)
        incident.describe(finding)
        incident.see(now, lasts=in_force[finding.rule].lasts)
    for incident in known.values():
        rule = in_force.get(incident.rule)
        incident.miss(now, calm=rule.calm if rule else 1)


def _write_messages(now: datetime) -> None:
    silenced = set(Silence.objects.in_force(now).values_list("rule", flat=True))
    for incident in Incident.objects.going_on():
        if not silenced & {"", incident.rule}:
            for channel in channels():
                incident.messages.get_or_create(kind=Message.Kind.BEGUN, channel=channel)
    told = Message.objects.filter(kind=Message.Kind.BEGUN, incident__over_at__isnull=False)
    for begun in told.exclude(incident__messages__kind=Message.Kind.OVER):
        Message.objects.get_or_create(
            incident_id=begun.incident_id, kind=Message.Kind.OVER, channel=begun.channel
        )
