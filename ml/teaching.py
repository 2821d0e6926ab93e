"""What a version becomes when feedback is learnt: heads, novelty and thresholds, all from its base.

Never from the version that answers today: what was taught and taken back since leaves no trace.
"""

from dataclasses import dataclass, replace

import numpy as np

from ml.answering import Mind
from ml.base import Base, BaseError, Rehearsal, Seen
from ml.calibration import MIN_PHOTOS, choose_unsure_below, fit_temperature
from ml.heads import Head
from ml.inference import NEITHER, is_hard, mean_over_looks, softmax
from ml.novelty import NoveltyMeasure, extend_novelty
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


def teach(
    base: Base, like: Mind, train: Seen, calibration: Seen, weights: Weights = Weights()
) -> Mind:
    """Learn photos from feedback.

    Args:
        base: Where learning begins.
        like: The version that answers, for the parts of it that no teaching changes.
        train: Photos to learn from; those of neither become known strangers.
        calibration: Photos to choose thresholds by, beside the base's.
        weights: How much they count.

    Raises:
        BaseError: if base and version do not belong together.
        TrainingError: if a fit fails.
    """
    l2 = float(base.about["settings"]["l2"])
    shown = train.only(train.targets >= 0)
    first = refit_head(base.first, shown.plain, shown.targets, weight=weights.heads, l2=l2)
    second = None
    if base.second is not None:
        second = _refit_second(base.second, shown, weights, l2)
    known = calibration.only(calibration.targets >= 0)
    measure = _novelty(base, like, train, known, weights)
    mind = Mind(like.card, first, second, measure)
    mind = _with_temperatures(mind, base.calibration.and_(known), base.about["settings"])
    return _with_unsure(mind, base.calibration, base.about["settings"])


def _refit_second(old: Rehearsal, shown: Seen, weights: Weights, l2: float) -> Head:
    if shown.looks is None:
        raise BaseError("The base has a second network, but the photos were not shown to it.")
    num_looks = shown.looks.shape[1]
    rows = shown.looks.reshape(-1, shown.looks.shape[2])
    targets = np.repeat(shown.targets, num_looks)
    return refit_head(old, rows, targets, weight=weights.heads, l2=l2)


def _novelty(
    base: Base, like: Mind, train: Seen, known: Seen, weights: Weights
) -> NoveltyMeasure | None:
    kept = base.about.get("novelty")
    if kept is None or base.familiar is None:
        return None
    if like.novelty is None or like.novelty.sha256 != kept["sha256"]:
        raise BaseError(
            f"The base of version {base.about['version']} does not fit {like.card.version}: "
            "their novelty is measured against other photos. Train a new version."
        )
    untaught = replace(
        like.novelty, familiar=base.familiar, limit=kept["limit"], approved=None, strangers=None
    )
    return extend_novelty(
        untaught,
        base.calibration.plain,
        train.plain[train.targets >= 0],
        train.plain[train.targets < 0],
        more_calibration=known.plain,
        num_train=int(base.about["num_train"]),
        weight=weights.novelty,
        refused=float(base.about["settings"]["refused"]),
    )


def _with_temperatures(mind: Mind, calibration: Seen, settings: dict[str, float]) -> Mind:
    """Temperatures found again, as in training, on photos that nothing was fitted to."""
    logits = mind.first.logits(calibration.plain)
    card = replace(mind.card, temperature=fit_temperature(logits, calibration.targets))
    card = _with_second_look(card, mind, calibration, logits, settings["look_again"])
    return replace(mind, card=card)


def _with_unsure(mind: Mind, calibration: Seen, settings: dict[str, float]) -> Mind:
    """The threshold of `unsure` found again, on the base's photos alone.

    Feedback is mostly of mistakes. With seven such photos among the 2,270 of the shipped base, 1.5 %
    of the holdout's photos changed from a right answer to `unsure`.
    """
    card = replace(mind.card, neither_above=0.5 if mind.novelty else None, unsure_below=None)
    answers = replace(mind, card=card).answers(calibration)
    targets = calibration.targets
    given = [i for i, answer in enumerate(answers) if answer.answer != NEITHER]
    confidence = np.array([answers[i].confidence for i in given])
    is_right = np.array([answers[i].label == card.labels[targets[i]] for i in given], bool)
    below = choose_unsure_below(confidence, is_right, settings["max_error"])
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
    mean = mean_over_looks(logits[hard], closer)
    temperature = fit_temperature(mean, calibration.targets[hard])
    return replace(card, second=replace(look, temperature=temperature))
