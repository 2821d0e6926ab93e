"""What people say of our answers, what reviewers make of it, and the runs that learn from it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Window
from django.db.models.functions import Cast, RowNumber, Substr
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from classifier.ids import uuid7
from classifier.models import ModelVersion, Prediction
from classifier.naming import label_name

# How long a photo is one reviewer's alone.
CLAIM_LASTS = timedelta(minutes=5)
# A run says that it lives every 5 s; one that has been silent for so long is dead.
RUN_SILENT = timedelta(seconds=30)


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def by(self, person: str) -> Self:
        return self.filter(person=person)

    def about_photo(self, sha256: str | OuterRef) -> Self:
        return self.filter(prediction__photo_sha256=sha256)

    def on_their_own_photo(self) -> Self:
        """Those of whoever sent the photo, while it is there."""
        return self.filter(prediction__person=F("person"), prediction__photo_is_kept=True)

    def naming_a_label(self) -> Self:
        return self.exclude(label="")

    def consented(self) -> Self:
        return self.filter(consent=True)

    def to_learn_from(self) -> Self:
        """Those whose photo may be trained on, and is still there."""
        return self.consented().filter(
            prediction__photo_is_kept=True,
            prediction__keep_until__isnull=True,
        )

    def within_daily_limit(self) -> Self:
        """Of these, the first `FEEDBACK_PER_DAY` of each person and day (UTC).

        Identifiers sort by time, so what a person adds never displaces what was there.
        """
        # Both databases write a moment in UTC, its day first. TruncDate calls Python for each row
        # on SQLite: a third of a second for 20,000.
        day = Substr(Cast("created_at", models.CharField()), 1, 10)
        number = Window(RowNumber(), partition_by=[F("person"), day], order_by="id")
        first = self.annotate(number=number).filter(number__lte=settings.FEEDBACK_PER_DAY)
        # As a subquery: a filter added to the window's own query would change the numbers.
        return type(self)(self.model).filter(pk__in=first.order_by().values("pk"))

    def photos(self) -> "models.QuerySet[Feedback, str]":
        """The SHA-256 of the photos that these are about, each once."""
        return self.order_by().values_list("prediction__photo_sha256", flat=True).distinct()


class Feedback(models.Model):
    """One person's opinion of one prediction; their last one counts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    prediction = models.ForeignKey(Prediction, on_delete=models.CASCADE, related_name="feedback")
    person = models.CharField(max_length=80, help_text="Who said so: see classifier.callers.")
    label = models.CharField(
        max_length=64,
        blank=True,
        help_text="What the photo shows to them, or 'neither'; empty: they only said 'wrong'.",
    )
    agrees = models.BooleanField("right", help_text="Whether our answer was right.")
    comment = models.TextField(max_length=1000, blank=True)
    consent = models.BooleanField(default=False, help_text="The photo may be trained on.")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "feedback"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["prediction", "person"], name="one_feedback_per_prediction_and_person"
            ),
            models.CheckConstraint(
                condition=~Q(label="") | Q(agrees=False), name="who_agrees_names_a_label"
            ),
        ]

    def __str__(self) -> str:
        label = {"label": label_name(self.label) if self.label else "?"}
        return _("right: %(label)s") % label if self.agrees else _("wrong: %(label)s") % label

    @property
    def consent_was_asked(self) -> bool:
        """Whether this person has said in general if we may learn from their photos; queries."""
        return Consent.objects.filter(person=self.person).exists()


class Consent(models.Model):
    """Whether a person lets us learn from the photos that they tell us about; asked once."""

    person = models.CharField(max_length=80, primary_key=True)
    may_learn = models.BooleanField()
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        may_learn = _("yes") if self.may_learn else _("no")
        return f"{self.person}: {may_learn}"


def _claimed_lately(now: datetime) -> tuple[datetime, datetime]:
    """When a claim that still holds was made; none of hours to come, from a clock put back."""
    return now - CLAIM_LASTS + timedelta(microseconds=1), now + CLAIM_LASTS


class ReviewQuerySet(models.QuerySet["Review"]):
    def decided(self) -> Self:
        return self.filter(decided_at__isnull=False)

    def approved(self) -> Self:
        """Decided that the photo shows something, and may be learnt from."""
        return self.decided().exclude(label="")

    def undecided(self) -> Self:
        return self.filter(decided_at__isnull=True)

    def by(self, reviewer: User) -> Self:
        return self.filter(reviewer=reviewer)

    def held_by_others(self, reviewer: User, now: datetime) -> Self:
        """Claims of other reviewers that have not expired."""
        fresh = self.undecided().filter(claimed_at__range=_claimed_lately(now))
        return fresh.filter(reviewer__isnull=False).exclude(reviewer=reviewer)

    def open_to(self, reviewer: User, now: datetime) -> Self:
        """Claims that this reviewer may decide or take: their own, expired ones, nobody's."""
        theirs_or_nobodys = Q(reviewer=reviewer) | Q(reviewer__isnull=True)
        is_fresh = Q(claimed_at__range=_claimed_lately(now))
        return self.undecided().filter(theirs_or_nobodys | ~is_fresh)

    def to_learn_from(self) -> Self:
        """Those about photos that may be trained on."""
        consent = Feedback.objects.to_learn_from().about_photo(OuterRef("photo_sha256"))
        return self.filter(Exists(consent))

    def saying_one_of(self, labels: Iterable[str]) -> Self:
        return self.filter(label__in=labels)

    def about_photos_of(self, feedback: FeedbackQuerySet) -> Self:
        return self.filter(photo_sha256__in=feedback.photos())


class Review(models.Model):
    """What a reviewer says a photo shows; a row without a decision is a claim on it."""

    photo_sha256 = models.CharField("photo SHA-256", max_length=64, unique=True)
    prediction = models.OneToOneField(Prediction, on_delete=models.CASCADE, related_name="review")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    claimed_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True, db_index=True)
    label = models.CharField(
        max_length=64, blank=True, help_text="A label or 'neither'; empty: not to be learnt from."
    )

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-decided_at", "-claimed_at"]

    def __str__(self) -> str:
        return _("%(decision)s, by %(reviewer)s") % {
            "decision": label_name(self.label) if self.label else pgettext("review", "left out"),
            "reviewer": self.reviewer or pgettext("reviewer", "someone"),
        }


class RunQuerySet(models.QuerySet):
    def unfinished(self) -> Self:
        return self.filter(state__in=[Run.State.WAITING, Run.State.RUNNING])

    def silent(self, now: datetime) -> Self:
        """Unfinished, and not heard of for longer than a living run would be."""
        return self.unfinished().filter(heartbeat_at__lt=now - RUN_SILENT)


class Run(models.Model):
    """Work in a process of its own: how far it is, whether it lives, what it said."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"
        LOST = "lost"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    asked_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    host = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField("process", null=True, blank=True)
    progress = models.FloatField(default=0.0, help_text="From 0 to 1.")
    step = models.CharField(max_length=200, blank=True, help_text="What it is doing.")
    log = models.TextField(blank=True)
    problem = models.TextField(blank=True, help_text="Why it failed.")
    cancel_asked_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-id"]

    @property
    def is_finished(self) -> bool:
        return self.state not in (self.State.WAITING, self.State.RUNNING)


class TrainingRun(Run):
    """One retraining, from approved feedback to a verdict."""

    class Outcome(models.TextChoices):
        PROMOTED = "promoted"
        REFUSED = "refused"
        UNCHANGED = "unchanged"

    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    force = models.BooleanField(default=False)
    data_digest = models.CharField(max_length=64, blank=True)
    num_photos = models.PositiveIntegerField("photos", default=0)
    live = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    candidate = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="runs"
    )
    verdict = models.JSONField(null=True, blank=True)

    class Meta(Run.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(state__in=["waiting", "running"]),
                name="one_training_at_a_time",
            )
        ]

    def __str__(self) -> str:
        shown = self.get_outcome_display() or self.get_state_display()
        return f"{self.created_at:%Y-%m-%d %H:%M}: {shown.lower()}"


class Replay(Run):
    """Logged photos, shown to another version."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="replays")
    last = models.PositiveIntegerField(help_text="How many of the last photos.")
    summary = models.JSONField(null=True, blank=True)

    class Meta(Run.Meta):
        abstract = False

    def __str__(self) -> str:
        return ngettext(
            "the last %(count)s photo on %(version)s",
            "the last %(count)s photos on %(version)s",
            self.last,
        ) % {"count": self.last, "version": self.version_id}


class ReplayedAnswer(models.Model):
    """What another version says of a logged photo."""

    replay = models.ForeignKey(Replay, on_delete=models.CASCADE, related_name="answers")
    prediction = models.ForeignKey(Prediction, on_delete=models.CASCADE, related_name="+")
    answer = models.CharField(max_length=64)
    label = models.CharField(max_length=64)
    confidence = models.FloatField()
    probabilities = models.JSONField()
    inference_ms = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["replay", "prediction"], name="one_answer_per_replay_and_prediction"
            )
        ]

    def __str__(self) -> str:
        return f"{self.prediction_id}: {self.answer}"
