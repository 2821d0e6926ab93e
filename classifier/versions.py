"""Trained versions as the database knows them: which one is live, since when, by whom."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from ml.novelty import NOVELTY
from ml.registry import Card

# A server that has not been heard of for so long is gone; it says that it lives every 20 s.
_SERVER_SILENT = timedelta(seconds=60)
# Its row is kept a little longer, to be read by whoever wonders where it went.
_SERVER_FORGOTTEN = timedelta(hours=1)

_NOT_BEFORE = gettext_noop("%(version)s is no longer the version before the live one.")
_JUDGED_AGAINST = gettext_noop(
    "%(version)s was judged against %(name)s, and %(live)s is live by now."
)


class PromotionError(Exception):
    """A version cannot go live, or back; the message says why."""


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def live(self) -> Self:
        return self.filter(is_live=True)

    def trained_on(self, sha256: str) -> Self:
        """The versions that learnt from a photo."""
        return self.filter(training_photos__photo_sha256=sha256)

    def register(self, card: Card) -> "ModelVersion":
        """Make a saved version known, as a candidate. A second time changes nothing."""
        version, is_new = self.get_or_create(name=card.version, defaults=_as_row(card))
        if not is_new and not version.files:  # registered before receipts were kept
            self.filter(pk=version.pk).update(**_as_row(card))
            version.refresh_from_db()
        return version

    def before_live(self) -> "ModelVersion":
        """The version that `roll_back` would let answer again.

        Raises:
            PromotionError: if the live version was the first one.
        """
        last = Promotion.objects.in_force().select_related("previous").first()
        if last is None or last.previous is None:
            raise PromotionError(
                gettext_noop("No version was live before this one: nothing to go back to.")
            )
        return last.previous

    def roll_back(self, by: str = "", *, to: "ModelVersion | None" = None) -> "ModelVersion":
        """Let the version before the live one answer again.

        Args:
            by: Who says so, for the record.
            to: The version that they expect to come back; None: whichever was live before.

        Returns:
            The version that is live now.

        Raises:
            PromotionError: if the live version was the first one, or another one than `to` would
                come back by now.
        """
        with transaction.atomic():
            _take_turns()
            previous = self.before_live()
            if to is not None and previous != to:
                raise PromotionError(_NOT_BEFORE % {"version": to})
            last = Promotion.objects.in_force()[0]
            last.rolled_back_at = timezone.now()
            last.save(update_fields=["rolled_back_at"])
            _make_live(previous)
            Promotion.objects.create(
                version=previous, previous=last.version, by=by, is_rollback=True
            )
        return previous


def _as_row(card: Card) -> dict[str, Any]:
    second = card.second and {"below": card.second.below, "temperature": card.second.temperature}
    return {
        "architecture": card.architecture,
        "labels": list(card.labels),
        "weights_sha256": card.weights_sha256,
        "data_digest": card.data.get("digest", ""),
        "scores": card.scores,
        "trained_at": datetime.fromisoformat(card.created),
        "preprocessing": card.preprocessing,
        "thresholds": {
            "unsure_below": card.unsure_below,
            "neither_above": card.neither_above,
            "temperature": card.temperature,
            "second": second,
        },
        "code_revision": card.code_revision or "",
        "files": {
            name: card.files[name] for name in (*card.networks, NOVELTY) if name in card.files
        },
    }


# A card, and what `ModelVersion.from_card` made of it: each photo asks about the same one.
_last: "tuple[Card, ModelVersion] | None" = None


class ModelVersion(models.Model):
    """A trained version, as its card describes it, and whether it is the one that answers."""

    name = models.CharField("version", max_length=64, primary_key=True)
    architecture = models.CharField(max_length=64)
    labels = models.JSONField()
    weights_sha256 = models.CharField("weights SHA-256", max_length=64)
    data_digest = models.CharField(max_length=64, blank=True)
    preprocessing = models.CharField(max_length=64, blank=True)
    thresholds = models.JSONField(default=dict)
    code_revision = models.CharField(max_length=64, blank=True)
    files = models.JSONField(
        default=dict, help_text="SHA-256 of each file that takes part in an answer."
    )
    scores = models.JSONField(default=dict)
    trained_at = models.DateTimeField()
    is_live = models.BooleanField("live", default=False)
    promoted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_photos = models.PositiveIntegerField(
        default=0, help_text="Photos it learnt from that were erased, or taken back, since."
    )

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-trained_at", "-name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_live"], condition=Q(is_live=True), name="one_live_version"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def from_card(cls, card: Card) -> "ModelVersion":
        """A version as its card has it, not kept in the database, and not to be changed.

        The card that was asked about last gives the same object again.
        """
        global _last
        if _last is None or _last[0] is not card:
            _last = card, cls(name=card.version, **_as_row(card))
        return _last[1]

    def promote(self, by: str = "", *, instead_of: "ModelVersion | None" = None) -> None:
        """Let this version answer from now on, in the place of the live one.

        Args:
            by: Who says so, for the record.
            instead_of: The version that it was judged against; None: whichever is live.

        Raises:
            PromotionError: if another version than `instead_of` is live by now.
        """
        with transaction.atomic():
            _take_turns()
            previous = ModelVersion.objects.live().first()
            if instead_of is not None and previous != instead_of:
                names = {"version": self, "name": instead_of, "live": previous}
                raise PromotionError(_JUDGED_AGAINST % names)
            if previous != self:
                _make_live(self)
                Promotion.objects.create(version=self, previous=previous, by=by)

    @property
    def receipt(self) -> dict[str, Any]:
        """What made the answers of this version."""
        return {
            "version": self.name,
            "weights_sha256": self.weights_sha256,
            "files": self.files,
            "data_digest": self.data_digest,
            "preprocessing": self.preprocessing,
            "thresholds": self.thresholds,
            "code_revision": self.code_revision or None,
        }


def _take_turns() -> None:
    """Lock every row: two promotions at once wait for each other."""
    # Not their keys: on PostgreSQL, each prediction that is logged would wait as well.
    list(ModelVersion.objects.select_for_update(no_key=True).order_by("name"))


def _make_live(version: ModelVersion) -> None:
    ModelVersion.objects.live().exclude(pk=version.pk).update(is_live=False)
    version.is_live, version.promoted_at = True, timezone.now()
    version.save(update_fields=["is_live", "promoted_at"])


class PromotionQuerySet(models.QuerySet["Promotion"]):
    def in_force(self) -> Self:
        """Promotions that were not rolled back; the first one made the live version live."""
        return self.filter(rolled_back_at__isnull=True, is_rollback=False)


class Promotion(models.Model):
    """Which version took which one's place, when, and who said so. Never rewritten."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotions")
    previous = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=150, blank=True)
    is_rollback = models.BooleanField("rollback", default=False)
    rolled_back_at = models.DateTimeField(null=True, blank=True)

    objects = PromotionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        previous = self.previous or pgettext("no version", "nothing")
        return f"{previous} → {self.version}"


class TrainingPhoto(models.Model):
    """A photo of the users' that a version learnt from, or was judged on."""

    version = models.ForeignKey(
        ModelVersion, on_delete=models.CASCADE, related_name="training_photos"
    )
    photo_sha256 = models.CharField("photo SHA-256", max_length=64, db_index=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "photo_sha256"], name="once_per_version_and_photo"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.photo_sha256}"


class ServerQuerySet(models.QuerySet["Server"]):
    def alive(self, now: datetime) -> Self:
        return self.filter(seen_at__gte=now - _SERVER_SILENT)

    def gone(self, now: datetime) -> Self:
        return self.filter(seen_at__lt=now - _SERVER_SILENT)

    def forgotten(self, now: datetime) -> Self:
        """Gone for so long that their rows may go too."""
        return self.filter(seen_at__lt=now - _SERVER_FORGOTTEN)


class Server(models.Model):
    """A worker process that answers: which version it has loaded, and what is wrong if anything."""

    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField("process")
    version = models.CharField(max_length=64, blank=True)
    problem = models.TextField(blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField()

    objects = ServerQuerySet.as_manager()

    class Meta:
        ordering = ["host", "pid"]
        constraints = [models.UniqueConstraint(fields=["host", "pid"], name="one_row_per_process")]

    def __str__(self) -> str:
        return _("%(host)s, process %(pid)s") % {"host": self.host, "pid": self.pid}

    def is_alive(self, now: datetime) -> bool:
        return self.seen_at >= now - _SERVER_SILENT
