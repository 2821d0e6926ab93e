"""How good answers are: scores with intervals, over all photos and over slices of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ml.examples import Example
from ml.features import each_photo
from ml.inference import NEITHER, UNSURE, Answer, OnnxEngine
from ml.photos import Photo, PhotoError

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
class Told:
    """What people would have been told of some photos that show one of the labels.

    Attributes:
        answered: Share of the photos that got a label for an answer.
        right: Share of these whose answer is right; None if there are none.
        unsure: Share that was told `unsure`.
        neither: Share that was told `neither`.
    """

    answered: float
    right: float | None
    unsure: float
    neither: float


@dataclass(frozen=True)
class Evaluation:
    """Scores of a version on a data set.

    Attributes:
        all: Over all photos.
        told: What people would have been told.
        slices: Name of a slice to its scores.
        wrong: The photos answered wrongly, each with its answer and confidence, surest first.
        broken: The photos that could not be decoded, and why.
    """

    all: Scores
    told: Told
    slices: dict[str, Scores]
    wrong: tuple[tuple[Example, str, float], ...] = ()
    broken: tuple[tuple[Example, str], ...] = ()

    def for_card(self) -> dict[str, Any]:
        """As a version's card keeps it."""
        return {
            **_rounded(asdict(self.all)),
            "told": _rounded(asdict(self.told)),
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

    def ask(photo: Photo, _: Example) -> tuple[Answer, tuple[int, int]]:
        return engine.predict(photo.pixels), (photo.width, photo.height)

    answered, broken = [], []
    for example, answer in each_photo(examples, ask, "Asking the version"):
        if isinstance(answer, PhotoError):
            broken.append((example, str(answer)))
        else:
            answered.append((example, *answer))
    if not answered:
        raise ValueError(f"None of {len(examples)} photos can be decoded.")
    shown, answers, sizes = zip(*answered, strict=True)
    return score(shown, answers, np.array(sizes), labels, tuple(broken))


def answered_all_the_same(
    engine: OnnxEngine, folder: Path
) -> tuple[int, tuple[tuple[Path, Answer], ...]]:
    """Show a version photos that show none of its labels.

    Args:
        engine: The version.
        folder: Photos of something else, in sub-folders or not.

    Returns:
        How many photos were shown, and those answered with a label, surest first.

    Raises:
        ValueError: if there is no photo that can be decoded.
    """
    found = [Example(path, "", "") for path in sorted(folder.rglob("*")) if path.is_file()]

    def ask(photo: Photo, _: Example) -> Answer:
        return engine.predict(photo.pixels)

    shown = [
        (example.path, answer)
        for example, answer in each_photo(found, ask, "Asking the version")
        if not isinstance(answer, PhotoError)
    ]
    if not shown:
        raise ValueError(f"There is no photo that can be decoded in {folder}.")
    labels = engine.card.labels
    answered = [(path, answer) for path, answer in shown if answer.answer in labels]
    return len(shown), tuple(sorted(answered, key=lambda pair: -pair[1].confidence))


def describe_neither(shown: int, answered: Sequence[tuple[Path, Answer]]) -> list[str]:
    """What came of `answered_all_the_same`: the share, and the surest answers."""
    low, high = wilson_interval(len(answered), shown)
    return [
        f"{len(answered) / shown:.2%} of {shown} photos of something else answered all the same "
        f"(95 % interval {low:.2%} to {high:.2%})",
        *(
            f"{path}: answered {answer.answer}, {answer.confidence:.1%} sure"
            for path, answer in answered[:20]
        ),
    ]


def score(
    examples: Sequence[Example],
    answers: Sequence[Answer],
    sizes: np.ndarray,
    labels: Sequence[str],
    broken: tuple[tuple[Example, str], ...] = (),
) -> Evaluation:
    """Score answers, over all photos and over slices.

    Args:
        examples: The photos, `n` of them.
        answers: What a version says of each.
        sizes: Width and height of each photo, shape `(n, 2)`.
        labels: The version's.
        broken: Passed on.
    """
    probabilities = np.array(
        [[answer.probabilities[label] for label in labels] for answer in answers]
    )
    targets = np.array([labels.index(example.label) for example in examples])
    scores = score_answers(probabilities, targets, labels)
    slices = {
        name: score_answers(probabilities[chosen], targets[chosen], labels)
        for name, chosen in _slices(targets, sizes, labels).items()
        if chosen.any()
    }
    told = _told(answers, [example.label for example in examples])
    wrong = _wrong(examples, probabilities, targets, labels)
    return Evaluation(scores, told, slices, wrong, broken)


def describe(evaluation: Evaluation) -> str:
    """The scores that matter most, in one line."""
    scores = evaluation.all
    low, high = scores.accuracy_interval
    return (
        f"{scores.accuracy:.2%} of {scores.count} photos right "
        f"(95 % interval {low:.2%} to {high:.2%}), "
        f"log loss {scores.log_loss:.4f}, ECE {scores.ece:.4f}; {_describe_told(evaluation.told)}"
    )


def _describe_told(told: Told) -> str:
    right = "" if told.right is None else f", {told.right:.2%} of these rightly"
    return (
        f"{told.answered:.2%} answered{right}, {told.unsure:.2%} unsure, {told.neither:.2%} neither"
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


def _told(answers: Sequence[Answer], labels: Sequence[str]) -> Told:
    said = np.array([answer.answer for answer in answers])
    unsure, neither = said == UNSURE, said == NEITHER
    answered = ~(unsure | neither)
    right = (said == np.array(labels))[answered]
    return Told(
        answered=float(answered.mean()),
        right=float(right.mean()) if len(right) else None,
        unsure=float(unsure.mean()),
        neither=float(neither.mean()),
    )


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

    def rounded(value: Any) -> Any:
        if isinstance(value, tuple):
            return [rounded(each) for each in value]
        return round(value, 6) if isinstance(value, float) else value

    return {name: rounded(value) for name, value in values.items()}
