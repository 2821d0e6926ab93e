"""What a version becomes when feedback is learnt: heads, novelty and thresholds, all from its base.

Never from the version that answers today: what was taught and taken back since leaves no trace.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ml.answering import Mind
from ml.base import Base, BaseError, Rehearsal, Seen
from ml.calibration import MIN_PHOTOS, choose_unsure_below, fit_temperature
from ml.heads import Head
from ml.inference import NEITHER, is_hard, mean_of_both, softmax
from ml.novelty import Looked, NoveltyMeasure, extend_novelty
from ml.registry import Card
from ml.rehearsal import refit_head

# How many photos of the base one approved photo counts for; see docs/learning for what others do.
WEIGHT = 3.0
# The same, for what is familiar.
NOVELTY_WEIGHT = 3.0


@dataclass(frozen=True)
class Weights:
    """How much feedback counts against the base.

    Attributes:
        heads: Photos of the base that an approved one counts for in the fit of the heads.
        novelty: The same, for what is familiar.
    """

    heads: float = WEIGHT
    novelty: float = NOVELTY_WEIGHT


@dataclass(frozen=True)
class Teacher:
    """Teaches photos from feedback to what a base remembers.

    Attributes:
        base: Where learning begins.
        like: The version that answers, for the parts of it that no teaching changes.
        weights: How much feedback counts.

    Raises:
        BaseError: from its methods, if base and version do not belong together.
        TrainingError: likewise, if a fit fails.
    """

    base: Base
    like: Mind
    weights: Weights = Weights()

    def teach(self, train: Seen, calibration: Seen) -> Mind:
        """Learn photos, and choose all thresholds again.

        Args:
            train: Photos to learn from; those of neither become known strangers.
            calibration: Photos to choose thresholds by, beside the base's.
        """
        settings, known = self.base.about["settings"], calibration.only(calibration.targets >= 0)
        mind = self._learnt(train, known)
        mind = _with_temperatures(mind, self.base.calibration.and_(known), settings)
        novelties = None
        if mind.novelty is not None and self._looked is not None:
            novelties = mind.novelty.novelty_of(self._looked)
        return _with_unsure(mind, self.base.calibration, novelties, settings["max_error"])

    def stand_in(self, taught: Mind, train: Seen, calibration: Seen) -> Mind:
        """Learn other photos, and keep the thresholds of what was taught.

        Args:
            taught: From `teach`.
            train: Some of the photos that it learnt.
            calibration: As for `teach`.
        """
        known = calibration.only(calibration.targets >= 0)
        return replace(self._learnt(train, known), card=taught.card)

    def _learnt(self, train: Seen, known: Seen) -> Mind:
        base, l2 = self.base, float(self.base.about["settings"]["l2"])
        shown, weight = train.only(train.targets >= 0), self.weights.heads
        first = refit_head(base.first, shown.plain, shown.targets, weight=weight, l2=l2)
        second = None if base.second is None else _refit_second(base.second, shown, weight, l2)
        return Mind(self.like.card, first, second, self._extended(train, known))

    def _extended(self, train: Seen, known: Seen) -> NoveltyMeasure | None:
        if self._untaught is None or self._looked is None:
            return None
        return extend_novelty(
            self._untaught,
            self._looked,
            train.plain[train.targets >= 0],
            train.plain[train.targets < 0],
            more_calibration=known.plain,
            num_train=int(self.base.about["num_train"]),
            weight=self.weights.novelty,
            refused=float(self.base.about["settings"]["refused"]),
        )

    @cached_property
    def _untaught(self) -> NoveltyMeasure | None:
        """The measure as it was before any feedback."""
        kept, measure = self.base.about.get("novelty"), self.like.novelty
        if kept is None or self.base.familiar is None:
            return None
        if measure is None or measure.sha256 != kept["sha256"]:
            raise BaseError(
                f"The base of version {self.base.about['version']} does not fit "
                f"{self.like.card.version}: their novelty is measured against other photos. "
                "Train a new version."
            )
        return replace(
            measure,
            familiar=self.base.familiar,
            limit=kept["limit"],
            approved=None,
            strangers=None,
        )

    @cached_property
    def _looked(self) -> Looked | None:
        """The base's calibration split, looked at once for all that is learnt."""
        if self._untaught is None:
            return None
        return self._untaught.look(self.base.calibration.plain)


def _refit_second(old: Rehearsal, shown: Seen, weight: float, l2: float) -> Head:
    if shown.looks is None:
        raise BaseError("The base has a second network, but the photos were not shown to it.")
    rows = shown.looks.reshape(-1, shown.looks.shape[2])
    targets = np.repeat(shown.targets, shown.looks.shape[1])
    return refit_head(old, rows, targets, weight=weight, l2=l2)


def _with_temperatures(mind: Mind, calibration: Seen, settings: dict[str, float]) -> Mind:
    """Temperatures found again, as in training, on photos that nothing was fitted to."""
    logits = mind.first.logits(calibration.plain)
    card = replace(mind.card, temperature=fit_temperature(logits, calibration.targets))
    card = _with_second_look(card, mind, calibration, logits, settings["look_again"])
    return replace(mind, card=card)


def _with_unsure(
    mind: Mind, calibration: Seen, novelties: np.ndarray | None, max_error: float
) -> Mind:
    """The threshold of `unsure` found again, on the base's photos alone.

    Feedback is mostly of mistakes. With seven such photos among the 2,270 of the shipped base,
    1.5 % of the holdout's photos changed from a right answer to `unsure`.
    """
    card = replace(mind.card, neither_above=0.5 if mind.novelty else None, unsure_below=None)
    answers = replace(mind, card=card).answers(calibration, novelties)
    targets = calibration.targets
    given = [i for i, answer in enumerate(answers) if answer.answer != NEITHER]
    confidence = np.array([answers[i].confidence for i in given])
    is_right = np.array([answers[i].label == card.labels[targets[i]] for i in given], bool)
    below = choose_unsure_below(confidence, is_right, max_error)
    return replace(mind, card=replace(card, unsure_below=below))


def _with_second_look(
    card: Card, mind: Mind, calibration: Seen, logits: np.ndarray, share: float
) -> Card:
    if card.second is None or mind.second is None or calibration.looks is None:
        return card
    confidence = softmax(logits / card.temperature).max(axis=1)
    look = replace(
        card.second, below=float(np.quantile(confidence, share)), temperature=card.temperature
    )
    card = replace(card, second=look)
    looked = np.isfinite(calibration.looks).all(axis=(1, 2))
    hard = is_hard(logits, card) & looked
    if hard.sum() < MIN_PHOTOS:
        return card
    closer = mind.second.logits(calibration.looks[hard]).mean(axis=1)
    mean = mean_of_both(logits[hard], closer, look)
    temperature = fit_temperature(mean, calibration.targets[hard])
    return replace(card, second=replace(look, temperature=temperature))
