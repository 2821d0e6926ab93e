"""What people say of our answers."""

from typing import Self

from django.db import models
from django.db.models import Q

from classifier.ids import uuid7
from classifier.models import Prediction


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def by(self, person: str) -> Self:
        return self.filter(person=person)


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
        return f"{'right' if self.agrees else 'wrong'}: {self.label or '?'}"
