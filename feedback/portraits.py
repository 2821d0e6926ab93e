"""A version in words: how it came, how good it is, what it says when, and who let it answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext, ngettext

from classifier.models import ModelVersion, Promotion
from classifier.naming import label_name
from classifier.versions import ModelVersionQuerySet
from feedback.models import TrainingRun
from feedback.readings import (
    count,
    decimal,
    figure,
    interval,
    listed,
    localised,
    mapping,
    number,
    share,
)
from feedback.retelling import retell
from feedback.shelf import Folder, look_into
from feedback.training_curve import Curve, training_curve

_NETWORKS = {
    "efficientnet-lite0": "EfficientNet-Lite0",
    "efficientnet-lite1": "EfficientNet-Lite1",
    "efficientnet-lite2": "EfficientNet-Lite2",
    "efficientnet-lite2-peaks": "EfficientNet-Lite2",
    "pawnet": "PawNet",
    "small-xception": "small Xception",
}


@dataclass(frozen=True)
class SliceScores:
    """How good a version is on some of the photos."""

    name: str
    count: str
    accuracy: str
    interval: str
    log_loss: str
    ece: str


@dataclass(frozen=True)
class Portrait:
    """A version, for a page: its row, its folder, its promotions and the run that made it."""

    version: ModelVersion
    folder: Folder
    promotions: list[Promotion] = field(default_factory=list)
    run: TrainingRun | None = None

    @property
    def _card(self) -> dict[str, Any]:
        """What the card says beyond the row; nothing where it cannot be read."""
        card = self.folder.card
        return {"training": card.training, "data": card.data, "side": card.side} if card else {}

    @property
    def problem(self) -> str:
        """Why it could not be loaded now; empty: it could."""
        card = self.folder.card
        if self.folder.problem or card is None:
            return retell(self.folder.problem)
        if card.weights_sha256 != self.version.weights_sha256:
            return gettext("Its files are not those that were registered under its name.")
        return ""

    @property
    def training(self) -> Mapping[str, Any]:
        return mapping(self._card.get("training"))

    @property
    def scores(self) -> Mapping[str, Any]:
        return mapping(self.version.scores)

    @property
    def labels(self) -> str:
        return listed(self.version.labels, label_name)

    @property
    def network(self) -> str:
        """The networks in words: "EfficientNet-Lite0, and EfficientNet-Lite2 for …"."""
        first = _NETWORKS.get(self.version.architecture, self.version.architecture)
        if not self.second_network:
            return first
        return gettext("%(first)s, and %(second)s for a second look at hard photos") % {
            "first": first,
            "second": self.second_network,
        }

    @property
    def second_network(self) -> str:
        """The one that looks again at hard photos; empty: none does."""
        card = self.folder.card
        if card is None or card.second is None:
            return ""
        return _NETWORKS.get(card.second.architecture, str(card.second.architecture))

    @property
    def origin(self) -> str:
        """How it came."""
        if self.run:
            photos = self.run.num_photos
            words = ngettext(
                "Refitted on %(photos)s reviewed photos from people",
                "Refitted on %(photos)s reviewed photos from people",
                photos,
            )
            return words % {"photos": count(photos)}
        if self.folder.card is None:
            return gettext("Not known: its card cannot be read")
        if base := mapping(self.training.get("base")):
            return gettext(
                "Refitted on reviewed photos from people, and the base of %(version)s"
            ) % {"version": base.get("version")}
        if "recipe" in self.training:
            return gettext("Trained from random weights")
        return gettext("A linear head, trained on frozen ImageNet features")

    @property
    def accuracy(self) -> str:
        return share(self.scores.get("accuracy"))

    @property
    def accuracy_interval(self) -> str:
        return interval(self.scores.get("accuracy_interval"))

    @property
    def log_loss(self) -> str:
        return decimal(self.scores.get("log_loss"))

    @property
    def ece(self) -> str:
        return decimal(self.scores.get("ece"))

    @property
    def told(self) -> Mapping[str, Any]:
        return mapping(self.scores.get("told"))

    @property
    def answered(self) -> str:
        return share(self.told.get("answered"))

    @property
    def right(self) -> str:
        return share(self.told.get("right"))

    @property
    def judged_on(self) -> str:
        """How many photos the scores are from."""
        return count(self.scores.get("count"))

    @property
    def on_feedback(self) -> str:
        """How it did on the photos that people told us about, in one sentence."""
        found = mapping(self.scores.get("feedback"))
        if number(found.get("accuracy")) is None or not number(found.get("count")):
            return ""
        return gettext(
            "Of %(photos)s reviewed photos from people, each shown to heads that had not learnt "
            "from it: %(share)s right."
        ) % {"photos": count(found["count"]), "share": share(found["accuracy"])}

    @property
    def slices(self) -> list[SliceScores]:
        found = mapping(self.scores.get("slices"))
        return [_slice(name, mapping(scores)) for name, scores in found.items()]

    @property
    def data_name(self) -> str:
        """What it was trained on, as its card has it."""
        if self.folder.card is None:
            return gettext("Not known: its card cannot be read")
        return self._given_data_name or gettext("Nobody named it")

    @property
    def names_its_data(self) -> bool:
        """Whether `data_name` is the card's own words, which are in English."""
        return bool(self._given_data_name)

    @property
    def _given_data_name(self) -> str:
        name = mapping(self._card.get("data")).get("name")
        return name if isinstance(name, str) else ""

    @property
    def splits(self) -> list[tuple[str, str]]:
        """How many photos each split has: `[("train", "18,036"), …]`."""
        counts = mapping(mapping(self._card.get("data")).get("counts"))
        numbers = ((name, map(number, mapping(row).values())) for name, row in counts.items())
        return [(retell(str(name)), count(sum(filter(None, row)))) for name, row in numbers]

    @property
    def says(self) -> list[str]:
        """Its thresholds in words."""
        thresholds = mapping(self.version.thresholds)
        unsure, neither = (number(thresholds.get(n)) for n in ("unsure_below", "neither_above"))
        second, temperature = mapping(thresholds.get("second")), thresholds.get("temperature")
        lines = [
            gettext("Never says “unsure”.")
            if unsure is None
            else gettext("Says “unsure” where it is less than %(share)s sure.")
            % {"share": share(unsure)},
            gettext("Never says “neither”.")
            if neither is None
            else gettext(
                "Says “neither” where a photo is too unlike what it knows: novelty above "
                "%(limit)s, on a scale from 0 to 1."
            )
            % {"limit": localised(f"{neither:.3g}")},
        ]
        if second:
            lines.append(
                gettext(
                    "Looks again, with a larger network, where the first look is less than "
                    "%(share)s sure."
                )
                % {"share": share(second.get("below"))}
            )
        if number(temperature) is not None:
            lines.append(
                gettext(
                    "Its confidence is calibrated: the network’s output is divided by "
                    "%(temperature)s first."
                )
                % {"temperature": localised(f"{number(temperature):.3g}")}
            )
        return lines

    @property
    def verdict(self) -> Mapping[str, Any]:
        """The verdict of its run, or nothing."""
        return mapping(self.run.verdict) if self.run else {}

    @property
    def checks(self) -> list[Mapping[str, Any]]:
        found = self.verdict.get("checks")
        return [_check(mapping(each)) for each in found] if isinstance(found, list) else []

    @property
    def reasons(self) -> list[str]:
        """Why it was refused."""
        return [check["words"] or check["name"] for check in self.checks if not check["passed"]]

    @property
    def is_refused(self) -> bool:
        return self.verdict.get("passed") is False

    @property
    def is_passed(self) -> bool:
        return self.verdict.get("passed") is True

    @cached_property
    def curve(self) -> Curve | None:
        return training_curve(self.training.get("history"))


def portraits(versions: Iterable[ModelVersion]) -> list[Portrait]:
    """Portraits of versions that come from `with_history`."""
    return [
        Portrait(
            version,
            look_into(version.name),
            list(version.promotions.all()),
            next(iter(version.runs.all()), None),
        )
        for version in versions
    ]


def with_history() -> ModelVersionQuerySet:
    """All versions, newest first, each with its promotions and runs in two queries more."""
    runs = TrainingRun.objects.defer("log").order_by("-id")
    return ModelVersion.objects.prefetch_related(
        Prefetch("promotions", Promotion.objects.select_related("previous")),
        Prefetch("runs", runs),
    )


def _slice(name: str, scores: Mapping[str, Any]) -> SliceScores:
    return SliceScores(
        name=retell(name),
        count=count(scores.get("count")),
        accuracy=share(scores.get("accuracy")),
        interval=interval(scores.get("accuracy_interval")),
        log_loss=decimal(scores.get("log_loss")),
        ece=decimal(scores.get("ece")),
    )


def _check(check: Mapping[str, Any]) -> Mapping[str, Any]:
    """A check of a verdict, as `ml.verdicts` writes it, with its numbers as text."""
    texts = {name: figure(number(check.get(name))) for name in ("candidate", "live")}
    words = {name: retell(str(check.get(name) or "")) for name in ("name", "limit", "words")}
    return {**words, **texts, "passed": check.get("passed") is True}
