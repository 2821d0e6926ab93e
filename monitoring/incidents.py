"""What went wrong, from when to when, who was told of it, and what nobody wants to be told of."""

from datetime import datetime, timedelta
from typing import Protocol, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from monitoring.rules import SEVERITIES, rules

# Checks a minute apart are sometimes a little less than a minute apart.
_SLACK = timedelta(seconds=10)
# Whoever began to send something and has not said how it went by then is dead.
_CLAIM_LASTS = timedelta(minutes=5)


class Described(Protocol):
    """What is said of something that is wrong: a `monitoring.judging.Finding`."""

    @property
    def severity(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def words(self) -> str: ...
    @property
    def do(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def limit(self) -> float: ...
    @property
    def photos(self) -> int | None: ...


class IncidentQuerySet(models.QuerySet["Incident"]):
    def unfinished(self) -> Self:
        """Noticed or going on."""
        return self.filter(over_at__isnull=True)

    def going_on(self) -> Self:
        """Lasting for so long that somebody is told."""
        return self.unfinished().filter(opened_at__isnull=False)


class Incident(models.Model):
    """A rule that did not hold for a while. Of each rule at most one is unfinished.

    It is noticed at first, opens once it has lasted, and is over after some fine checks. What was
    only noticed and did not last is forgotten.
    """

    rule = models.CharField(max_length=64, db_index=True)
    severity = models.CharField(max_length=16, choices=[(each, each) for each in SEVERITIES])
    title = models.CharField(max_length=200)
    words = models.TextField(help_text="What was measured when it was last seen.")
    do = models.TextField("what to do")
    value = models.FloatField()
    limit = models.FloatField()
    photos = models.PositiveIntegerField(null=True)
    noticed_at = models.DateTimeField(help_text="When it was first seen.")
    opened_at = models.DateTimeField(null=True, help_text="When it had lasted long enough.")
    seen_at = models.DateTimeField(help_text="When it was last seen.")
    over_at = models.DateTimeField(null=True)
    fine_checks = models.PositiveIntegerField(default=0, help_text="Fine checks in a row.")
    translations = models.JSONField(
        default=dict, help_text="Language to what is said in it; in English it is said above."
    )

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-noticed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule"], condition=Q(over_at__isnull=True), name="one_incident_per_rule"
            )
        ]

    def __str__(self) -> str:
        return f"{self.noticed_at:%Y-%m-%d %H:%M} {self.said('title')}"

    def describe(self, finding: Described) -> None:
        """Take over what a finding says, in every language; it is saved by `see`."""
        self.severity = finding.severity
        said = {each: _said_in(each, finding) for each in dict(settings.LANGUAGES)}
        for name, text in said.pop(settings.LANGUAGE_CODE).items():
            setattr(self, name, text)
        self.translations = said
        self.value, self.limit, self.photos = finding.value, finding.limit, finding.photos

    def said(self, name: str) -> str:
        """`title`, `words` or `do`, in the language of whoever reads if it is known in that."""
        told: dict[str, str] = self.translations.get(translation.get_language() or "", {})
        return told.get(name) or getattr(self, name)

    def see(self, now: datetime, *, lasts: float) -> None:
        """It is there at this check; after `lasts` minutes it opens. Saves it."""
        self.seen_at, self.fine_checks = now, 0
        if self.opened_at is None:  # or it would not open for hours once the clock was put back
            self.noticed_at = min(self.noticed_at, now)
        if self.opened_at is None and now - self.noticed_at >= timedelta(minutes=lasts) - _SLACK:
            self.opened_at = now
        self.save()

    def miss(self, now: datetime, *, calm: int) -> None:
        """It is not there at this check. Saves it, or forgets it if it never opened."""
        if self.opened_at is None:
            self.delete()
            return
        self.fine_checks += 1
        if self.fine_checks >= calm:
            self.over_at = now
        self.save()


def _said_in(language: str, finding: Described) -> dict[str, str]:
    with translation.override(language):
        return {name: str(getattr(finding, name)) for name in ("title", "words", "do")}


class MessageQuerySet(models.QuerySet["Message"]):
    def unsent(self) -> Self:
        return self.filter(sent_at__isnull=True)

    def claim(self, message: "Message", now: datetime) -> bool:
        """Take it upon oneself to send a message; False if another one sends it, or has."""
        # Not one of the future, either: the clock was put back since.
        held = Q(claimed_at__range=(now - _CLAIM_LASTS, now + _CLAIM_LASTS))
        free = Q(claimed_at__isnull=True) | ~held
        return bool(self.unsent().filter(free, pk=message.pk).update(claimed_at=now))


class Message(models.Model):
    """That somebody is to be told of an incident, once: that it began, or that it is over."""

    class Kind(models.TextChoices):
        BEGUN = "begun"
        OVER = "over"

    class Channel(models.TextChoices):
        MAIL = "mail"
        CHAT = "chat"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=8, choices=Kind)
    channel = models.CharField(max_length=8, choices=Channel)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    problem = models.CharField(
        max_length=200, blank=True, help_text="Why the last try failed; it is tried again."
    )

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "kind", "channel"], name="told_once")
        ]

    def __str__(self) -> str:
        how = {
            "channel": self.get_channel_display().lower(),
            "kind": self.get_kind_display().lower(),
        }
        if self.sent_at is None:
            return _("%(channel)s, %(kind)s: to be sent") % how
        return _("%(channel)s, %(kind)s: sent %(at)s") % {
            **how,
            "at": f"{self.sent_at:%Y-%m-%d %H:%M}",
        }


class SilenceQuerySet(models.QuerySet["Silence"]):
    def in_force(self, now: datetime) -> Self:
        return self.filter(since__lte=now, until__gt=now)


def rule_names() -> list[tuple[str, str]]:
    """What can be silenced, as value and text."""
    titles = {name: gettext(rule.title) for name, rule in rules().items()}
    return [("", _("all rules")), *((name, f"{name}: {title}") for name, title in titles.items())]


class Silence(models.Model):
    """Nobody is told of a rule for a while; incidents are still noted."""

    rule = models.CharField(max_length=64, blank=True, help_text="Empty: all rules.")
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    why = models.CharField(max_length=200, help_text="For those who wonder why nobody was told.")
    by = models.CharField(max_length=150, editable=False)

    objects = SilenceQuerySet.as_manager()

    class Meta:
        ordering = ["-until"]

    def __str__(self) -> str:
        return _("%(rule)s until %(until)s") % {
            "rule": self.rule or _("all rules"),
            "until": f"{self.until:%Y-%m-%d %H:%M}",
        }

    def clean(self) -> None:
        if self.since and self.until and self.until <= self.since:
            raise ValidationError({"until": _("It ends before it begins.")})


class Watch(models.Model):
    """Who checks takes turns: one row, locked by whoever writes down what a check found."""

    checked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        if self.checked_at is None:
            return _("never checked")
        return _("checked %(at)s") % {"at": f"{self.checked_at:%Y-%m-%d %H:%M}"}
