"""How good answers are: scores with intervals, over all photos and over slices of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ml.examples import Example
from ml.features import each_photo
from ml.inference import OnnxEngine, softmax
from ml.photos import Photo, PhotoError, fit

NUM_BINS = 15

# Of the normal distribution, for an interval that holds the truth 95 times in 100.
_Z95 = 1.959964


@dataclass(frozen=True)
class Scores:
    """How good answers to some photos are.

    Attributes:
        count: Photos scored.
        accuracy: Share of them whose most probable label is right.
        accuracy_interval: 95 % interval of it.
        log_loss: Mean negative log probability of the right label, in nats.
        brier: Mean squared distance of the probabilities from the truth, from 0 to 2.
        ece: Expected calibration error, from 0 to 1.
        confusion: True label to answered label to count.
    """

    count: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    log_loss: float
    brier: float
    ece: float
    confusion: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Evaluation:
    """Scores of a version on a data set.

    Attributes:
        all: Over all photos.
        slices: Name of a slice to its scores.
        wrong: The photos answered wrongly, each with its answer and confidence, surest first.
        broken: The photos that could not be decoded, and why.
    """

    all: Scores
    slices: dict[str, Scores]
    wrong: tuple[tuple[Example, str, float], ...] = ()
    broken: tuple[tuple[Example, str], ...] = ()

    def for_card(self) -> dict[str, Any]:
        """As a version's card keeps it."""
        return {
            **_rounded(asdict(self.all)),
            "slices": {name: _rounded(asdict(scores)) for name, scores in self.slices.items()},
        }


def evaluate(engine: OnnxEngine, examples: Sequence[Example]) -> Evaluation:
    """Ask a version about photos and score its answers.

    Args:
        engine: The version, running exactly as it serves.
        examples: Photos whose labels it knows.

    Raises:
        ValueError: if no photo can be decoded, or a label is not one of the version's.
    """
    labels = engine.card.labels
    unknown = sorted({example.label for example in examples} - set(labels))
    if unknown:
        raise ValueError(f"The version knows {', '.join(labels)}. Received: {', '.join(unknown)}")

    def ask(photo: Photo, _: Example) -> tuple[np.ndarray, int, int]:
        logits, _features = engine.run(fit(photo.pixels, engine.card.side)[np.newaxis])
        return logits[0], photo.width, photo.height

    answered, broken = [], []
    for example, answer in each_photo(examples, ask, "Asking the version"):
        if isinstance(answer, PhotoError):
            broken.append((example, str(answer)))
        else:
            answered.append((example, *answer))
    if not answered:
        raise ValueError(f"None of {len(examples)} photos can be decoded.")
    logits = np.stack([logits for _, logits, _, _ in answered])
    sizes = np.array([(width, height) for *_, width, height in answered])
    probabilities = softmax(logits / engine.card.temperature)
    return score([example for example, *_ in answered], probabilities, sizes, labels, tuple(broken))


def score(
    examples: Sequence[Example],
    probabilities: np.ndarray,
    sizes: np.ndarray,
    labels: Sequence[str],
    broken: tuple[tuple[Example, str], ...] = (),
) -> Evaluation:
    """Score answers, over all photos and over slices.

    Args:
        examples: The photos, `n` of them.
        probabilities: Calibrated, shape `(n, labels)`.
        sizes: Width and height of each photo, shape `(n, 2)`.
        labels: In the order of the columns.
        broken: Passed on.
    """
    targets = np.array([labels.index(example.label) for example in examples])
    scores = score_answers(probabilities, targets, labels)
    slices = {
        name: score_answers(probabilities[chosen], targets[chosen], labels)
        for name, chosen in _slices(targets, sizes, labels).items()
        if chosen.any()
    }
    return Evaluation(scores, slices, _wrong(examples, probabilities, targets, labels), broken)


def describe(evaluation: Evaluation) -> str:
    """The scores that matter most, in one line."""
    scores = evaluation.all
    low, high = scores.accuracy_interval
    return (
        f"{scores.accuracy:.2%} of {scores.count} photos right "
        f"(95 % interval {low:.2%} to {high:.2%}), "
        f"log loss {scores.log_loss:.4f}, ECE {scores.ece:.4f}"
    )


def detail(evaluation: Evaluation, num_errors: int = 20) -> list[str]:
    """Slices, the surest errors and the broken photos, a line each."""
    slices = [
        f"{name:20} {scores.accuracy:8.2%} of {scores.count:6}, log loss {scores.log_loss:.4f}"
        for name, scores in evaluation.slices.items()
    ]
    errors = [
        f"{example.path} is a {example.label}; answered {answer}, {confidence:.1%} sure"
        for example, answer, confidence in evaluation.wrong[:num_errors]
    ]
    broken = [f"{example.path}: {why}" for example, why in evaluation.broken]
    return [*slices, *errors, *broken]


def score_answers(probabilities: np.ndarray, targets: np.ndarray, labels: Sequence[str]) -> Scores:
    """Score answers to one set of photos, not empty.

    Source:
        Brier score in its first form, the sum over all labels: G. Brier, "Verification of
        forecasts expressed in terms of probability", Monthly Weather Review 78, 1950.
    """
    answers = probabilities.argmax(axis=1)
    right = answers == targets
    given = probabilities[np.arange(len(targets)), targets]
    truth = np.eye(len(labels))[targets]
    return Scores(
        count=len(targets),
        accuracy=float(right.mean()),
        accuracy_interval=wilson_interval(int(right.sum()), len(targets)),
        # A probability that was rounded to 0 would cost infinitely much.
        log_loss=float(-np.log(np.maximum(given, 1e-15)).mean()),
        brier=float(((probabilities - truth) ** 2).sum(axis=1).mean()),
        ece=expected_calibration_error(probabilities.max(axis=1), right),
        confusion=_confusion(targets, answers, labels),
    )


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share; unlike the textbook one it stays sound near 0 and 1.

    Raises:
        ValueError: if there are no trials, or more successes than trials.

    Source:
        E. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
        Journal of the American Statistical Association 22, 1927.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"Expected 0 ≤ successes ≤ trials, trials > 0: {successes=}, {trials=}")
    share = successes / trials
    middle = share + _Z95**2 / (2 * trials)
    spread = _Z95 * math.sqrt(share * (1 - share) / trials + _Z95**2 / (4 * trials**2))
    whole = 1 + _Z95**2 / trials
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def expected_calibration_error(
    confidences: np.ndarray, right: np.ndarray, num_bins: int = NUM_BINS
) -> float:
    """Mean distance between how sure answers are and how often they are right.

    Args:
        confidences: Probability of each answer, shape `(n,)`.
        right: Whether it is right, `bool`, shape `(n,)`.
        num_bins: Bins of equal width from 0 to 1.

    Source:
        M. Naeini, G. Cooper, M. Hauskrecht, "Obtaining Well Calibrated Probabilities Using
        Bayesian Binning", AAAI 2015.
    """
    bins = np.minimum((confidences * num_bins).astype(int), num_bins - 1)
    surplus = np.bincount(bins, weights=confidences - right, minlength=num_bins)
    return float(np.abs(surplus).sum() / len(confidences))


def _slices(
    targets: np.ndarray, sizes: np.ndarray, labels: Sequence[str]
) -> Mapping[str, np.ndarray]:
    """Name to the photos that belong, as a mask; slices may overlap."""
    square = sizes[:, 0] == sizes[:, 1]
    by_label = {f"label: {label}": targets == index for index, label in enumerate(labels)}
    # Exactly square photos are rare in life: in a data set they have mostly been squashed.
    return {"shape: square": square, "shape: oblong": ~square, **by_label}


def _confusion(
    targets: np.ndarray, answers: np.ndarray, labels: Sequence[str]
) -> dict[str, dict[str, int]]:
    return {
        true: {
            answered: int(((targets == i) & (answers == j)).sum())
            for j, answered in enumerate(labels)
        }
        for i, true in enumerate(labels)
    }


def _wrong(
    examples: Sequence[Example],
    probabilities: np.ndarray,
    targets: np.ndarray,
    labels: Sequence[str],
) -> tuple[tuple[Example, str, float], ...]:
    answers = probabilities.argmax(axis=1)
    found = [
        (examples[int(i)], labels[answers[i]], float(probabilities[i, answers[i]]))
        for i in np.flatnonzero(answers != targets)
    ]
    return tuple(sorted(found, key=lambda error: -error[2]))


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Figures to six decimals: more say nothing, and differ from machine to machine."""
    rounded = {k: round(v, 6) if isinstance(v, float) else v for k, v in values.items()}
    return {**rounded, "accuracy_interval": [round(v, 6) for v in values["accuracy_interval"]]}
