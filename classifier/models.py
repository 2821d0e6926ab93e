"""What is logged: each answer we gave, and the tokens that may ask."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from classifier.ids import uuid7
from classifier.lockout import LoginTries
from classifier.naming import label_name
from classifier.numerals import percent
from classifier.refusals import RefusalCount
from classifier.tokens import ApiToken
from classifier.versions import ModelVersion, Promotion, Server, TrainingPhoto
from ml.inference import NEITHER, UNSURE, Answer
from ml.photos import Photo

__all__ = [
    "ApiToken",
    "LoginTries",
    "ModelVersion",
    "Prediction",
    "Promotion",
    "RefusalCount",
    "Server",
    "SpoolArrival",
    "TrainingPhoto",
]


class PredictionQuerySet(models.QuerySet["Prediction"]):
    def of(self, person: str) -> Self:
        return self.filter(person=person)

    def with_feedback(self) -> Self:
        return self.filter(feedback__isnull=False).distinct()

    def without_feedback(self) -> Self:
        return self.filter(feedback__isnull=True)

    def answered(self, answer: str) -> Self:
        return self.filter(answer=answer)

    def judged_by(self, person: str, *, right: bool) -> Self:
        """Those of which a person said that the answer was right, or that it was wrong."""
        return self.filter(feedback__person=person, feedback__agrees=right)

    def not_judged_by(self, person: str) -> Self:
        return self.exclude(feedback__person=person)

    def before(self, prediction_id: uuid.UUID) -> Self:
        """Those older than one: version 7 UUIDs sort by time."""
        return self.filter(pk__lt=prediction_id)

    def overdue(self, now: datetime) -> Self:
        """Those whose photo's end date has passed and whose photo we may still have."""
        return self.with_photo().filter(keep_until__lte=now)

    def wanting_photo(self, now: datetime) -> Self:
        """Those whose photo is to stay: without an end date, or before it."""
        return self.filter(Q(keep_until__isnull=True) | Q(keep_until__gt=now))

    def sharing_photo(self, sha256: str) -> Self:
        return self.filter(photo_sha256=sha256)

    def with_photo(self) -> Self:
        return self.filter(photo_is_kept=True)

    def to_learn_from(self) -> Self:
        """Those whose photo may be trained on: its sender said so, and it has no end date."""
        return self.with_photo().filter(keep_until__isnull=True)


class Prediction(models.Model):
    """One answer we gave: to whom, about which photo, by which version, how fast."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Not when it is inserted: that may come later, see `classifier.journal`.
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    person = models.CharField(max_length=80, help_text="Who asked: see classifier.callers.")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="predictions")

    answer = models.CharField(max_length=64, db_index=True)
    label = models.CharField(max_length=64)
    confidence = models.FloatField()
    probabilities = models.JSONField()
    novelty = models.FloatField(null=True)

    photo_sha256 = models.CharField("photo SHA-256", max_length=64, db_index=True)
    photo_format = models.CharField("format", max_length=8)
    photo_width = models.PositiveIntegerField("width")
    photo_height = models.PositiveIntegerField("height")
    photo_bytes = models.PositiveIntegerField("bytes")
    photo_is_kept = models.BooleanField(default=True)
    keep_until = models.DateTimeField(
        null=True, db_index=True, help_text="When the photo is erased; empty: it may stay."
    )

    decode_ms = models.FloatField()
    inference_ms = models.FloatField()
    total_ms = models.FloatField()

    objects = PredictionQuerySet.as_manager()

    STORED, SPOOLED = "stored", "spooled"
    # Where it is: in the database, or on disk until the database is back. A row that was read from
    # the database is there.
    logged = STORED

    class Meta:
        ordering = ["-id"]  # version 7 UUIDs sort by time
        indexes = [models.Index(fields=["person", "-id"], name="prediction_by_person")]
        constraints = [
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="confidence_is_probability"
            ),
            models.CheckConstraint(
                condition=Q(novelty__isnull=True) | Q(novelty__gte=0, novelty__lte=1),
                name="novelty_from_0_to_1",
            ),
        ]

    def __str__(self) -> str:
        return f"{label_name(self.answer)} ({percent(self.confidence, 2)})"

    @classmethod
    def of(
        cls,
        answer: Answer,
        photo: Photo,
        *,
        version: ModelVersion,
        person: str,
        inference_ms: float,
        total_ms: float,
    ) -> "Prediction":
        """An answer as a row that is nowhere yet: see `classifier.journal.log`.

        Args:
            answer: What was said.
            photo: Of what.
            version: By whom; registered, but not necessarily read from the database.
            person: To whom, by `classifier.callers.person_of`.
            inference_ms: Milliseconds in the network.
            total_ms: Milliseconds from decoding to here.
        """
        now = timezone.now()
        return cls(
            created_at=now,
            version=version,
            person=person,
            answer=answer.answer,
            label=answer.label,
            confidence=answer.confidence,
            probabilities=dict(answer.probabilities),
            novelty=answer.novelty,
            photo_sha256=photo.sha256,
            photo_format=photo.format,
            photo_width=photo.width,
            photo_height=photo.height,
            photo_bytes=len(photo.data),
            keep_until=now + timedelta(days=settings.PHOTO_KEEP_DAYS),
            decode_ms=photo.decode_ms,
            inference_ms=inference_ms,
            total_ms=total_ms,
        )

    def get_absolute_url(self) -> str:
        return reverse("prediction", args=[self.pk])

    @property
    def is_unsure(self) -> bool:
        return self.answer == UNSURE

    @property
    def is_neither(self) -> bool:
        return self.answer == NEITHER

    @property
    def receipt(self) -> dict[str, Any]:
        """What was answered, about which photo, when, and what made the answer so."""
        return {
            "id": str(self.pk),
            "answered_at": self.created_at.isoformat(),
            "answer": self.answer,
            "label": self.label,
            "confidence": self.confidence,
            "probabilities": dict(self.ranked),
            "novelty": self.novelty,
            "photo": {
                "sha256": self.photo_sha256,
                "format": self.photo_format,
                "width": self.photo_width,
                "height": self.photo_height,
                "bytes": self.photo_bytes,
            },
            "timings_ms": {
                "decode": self.decode_ms,
                "inference": self.inference_ms,
                "total": self.total_ms,
            },
            "model": self.version.receipt,
        }

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """Labels and probabilities, most probable first; a database keeps no order of keys."""
        return sorted(self.probabilities.items(), key=lambda pair: -pair[1])

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What a person may say the photo shows, as value and text: a label, or `neither`."""
        return [*((label, label) for label in sorted(self.probabilities)), (NEITHER, NEITHER)]


class SpoolArrival(models.Model):
    """A note that a file of spooled rows was inserted: not again, should it still lie there."""

    segment = models.UUIDField(primary_key=True, editable=False)
    arrived_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.segment} at {self.arrived_at}"
