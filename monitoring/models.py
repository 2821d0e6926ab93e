"""Sums by the hour, so that figures over ten million predictions take milliseconds.

They are kept by `monitoring.rollup`; what they say can always be counted anew from the predictions.
"""

from django.db import models

from classifier.models import ModelVersion
from monitoring.incidents import Incident, Message, Silence, Watch

__all__ = [
    "Baseline",
    "Holdout",
    "HourlyAnswers",
    "HourlyBins",
    "HourlyOpinions",
    "Incident",
    "Message",
    "RollUp",
    "Silence",
    "TouchedHour",
    "TouchedPhoto",
    "WaitingPhoto",
    "Watch",
]


class Hourly(models.Model):
    """Something counted over the predictions that one version made in one hour."""

    hour = models.DateTimeField(help_text="Its beginning; the hours are those of UTC.")
    version = models.ForeignKey(
        ModelVersion, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    count = models.PositiveIntegerField()

    class Meta:
        abstract = True


class HourlyAnswers(Hourly):
    """How many predictions gave an answer to photos of a format, and how sure they were."""

    answer = models.CharField(max_length=64)
    label = models.CharField(max_length=64)
    photo_format = models.CharField("format", max_length=8)
    confidence_sum = models.FloatField()
    with_feedback = models.PositiveIntegerField(help_text="Those that have feedback.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "version", "answer", "label", "photo_format"],
                name="hourly_answers_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h: {self.count} × {self.answer}"


class HourlyOpinions(Hourly):
    """How much feedback an hour's predictions have, whenever it was given.

    `bin` is one of `ml.scores.NUM_BINS` bins of the prediction's confidence.
    """

    answer = models.CharField(max_length=64)
    bin = models.SmallIntegerField()
    agrees = models.BooleanField()
    confidence_sum = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "version", "answer", "bin", "agrees"], name="hourly_opinions_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h: {self.count} on {self.answer}"


class HourlyBins(Hourly):
    """How many predictions of an hour fell into a bin of a measure: see `monitoring.bins`."""

    measure = models.CharField(max_length=16)
    bin = models.SmallIntegerField()

    class Meta:
        constraints = [
            # In the order in which figures ask: one measure, a span of hours.
            models.UniqueConstraint(
                fields=["measure", "hour", "version", "bin"], name="hourly_bins_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h: {self.count} in {self.measure} {self.bin}"


class RollUp(models.Model):
    """How far the sums reach. There is one row; whoever rolls up locks it."""

    rolled_until = models.DateTimeField(null=True, help_text="All hours before it are summed up.")
    waiting_is_known = models.BooleanField(
        default=False, help_text="Whether the photos that wait for a reviewer are written down."
    )

    def __str__(self) -> str:
        return f"until {self.rolled_until}"


class TouchedHour(models.Model):
    """A note, written by the database itself, that an hour changed when it was over.

    A prediction came late or was erased, or feedback was given or taken back. There may be many
    notes on one hour; `monitoring.rollup` sums it up anew and removes those that it has seen.
    """

    hour = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h"


class WaitingPhoto(models.Model):
    """A photo that waited for a reviewer when `monitoring.waiting` last looked."""

    photo_sha256 = models.CharField("photo SHA-256", max_length=64, primary_key=True)
    since = models.DateTimeField(help_text="When the first feedback that lets us learn was given.")

    def __str__(self) -> str:
        return f"{self.photo_sha256[:12]}, since {self.since:%Y-%m-%d %H:%M}"


class TouchedPhoto(models.Model):
    """A note, written by the database itself, that a photo may wait now, or wait no more.

    There may be many notes on one photo, and one on a photo that is erased: `monitoring.waiting`
    looks at it anew and removes those that it has seen, with the sums, once a minute.
    """

    photo_sha256 = models.CharField("photo SHA-256", max_length=64)

    def __str__(self) -> str:
        return self.photo_sha256[:12]


class Baseline(models.Model):
    """What a version's first predictions looked like: what later ones are compared with.

    Counts only: erasing a prediction leaves it as it is.
    """

    version = models.OneToOneField(
        ModelVersion, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    until = models.DateTimeField(help_text="When the last of these predictions was made.")
    count = models.PositiveIntegerField()
    bins = models.JSONField(help_text="Measure to bin to count.")

    def __str__(self) -> str:
        return f"{self.version_id}: the first {self.count}"


class Holdout(models.Model):
    """How sure and how new a version found the photos of its holdout: its training reference."""

    version = models.OneToOneField(
        ModelVersion, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    count = models.PositiveIntegerField()
    bins = models.JSONField(help_text="Measure to bin to count.")

    def __str__(self) -> str:
        return f"{self.version_id}: {self.count} of its holdout"
