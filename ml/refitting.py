"""From feedback to a judged candidate, in seconds, without a data set and without TensorFlow.

The heads of a version's networks and its measure of novelty are fitted again on its base and on
photos from feedback; the candidate is written beside the versions with the verdict on it.
"""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np

from ml.answering import Mind, mind_of
from ml.base import Base, BaseError, Seen, describe_backbones
from ml.bases import base_digest, find_base
from ml.candidates import candidate_card, candidate_files
from ml.costs import compare_costs
from ml.examples import Example, data_digest
from ml.exams import Exam
from ml.features import Backbone, FeatureCache
from ml.heads import TrainingError
from ml.inference import Answer
from ml.lessons import Lessons, see, usable
from ml.marked import gettext_noop
from ml.photos import PREPROCESSING, decode_photo
from ml.promotion import judge
from ml.pytorch_stream import WeightsError
from ml.registry import (
    NETWORK,
    SECOND,
    Card,
    VersionError,
    load_card,
    load_version,
    next_version,
    save_version,
)
from ml.slices import slices_of
from ml.surgery import SurgeryError
from ml.teaching import Teacher
from ml.verdicts import Verdict

Say = Callable[[str], None]
Step = Callable[[float, str], None]

# Parts of the photos to learn from that are left out in turn, so that each is judged by heads that
# did not see it.
NUM_FOLDS = 5
# Photos to measure the time of an answer with.
_NUM_TIMED = 5
# Changes with anything that changes what is learnt from the same base and feedback.
_RECIPE = "refit-1"

_PROBLEMS = (
    *(BaseError, SurgeryError, TrainingError, VersionError, WeightsError),
    *(FloatingPointError, OSError, ValueError),
)


class RefitError(Exception):
    """A version cannot be refitted; the message says what to do."""


@dataclass(frozen=True)
class Refitted:
    """What came of it.

    Attributes:
        card: Of the candidate, whose folder lies beside the live version's.
        verdict: May it go live?
    """

    card: Card
    verdict: Verdict


@dataclass
class _Way:
    """How far it got: tells whoever waits, and knows an order to stop from a failure."""

    say: Say
    step: Step
    since: float = field(default_factory=time.perf_counter)
    seconds: dict[str, float] = field(default_factory=dict)
    stop: BaseException | None = None

    def part(self, start: float, end: float) -> Step:
        """A step function for a part of the whole."""
        return lambda done, what: self.go(start + (end - start) * done, what)

    def go(self, done: float, what: str) -> None:
        try:
            self.step(done, what)
        except BaseException as error:
            self.stop = error
            raise

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name], self.since = round(now - self.since, 1), now


def refit_version(
    root: Path,
    live: str,
    examples: Sequence[Example],
    *,
    cache: Path,
    say: Say = lambda _: None,
    step: Step = lambda _done, _words: None,
) -> Refitted:
    """Fit on base and feedback, save a candidate, and judge it against the live version.

    Args:
        root: Where versions live.
        live: The version that answers.
        examples: Approved photos; labels are the version's, or `neither`.
        cache: Where features are kept between runs.
        say: Told, in a sentence, what was left out and what was found.
        step: Told the progress, from 0 to 1, and in words what is being done. It may raise to stop:
            then, as after any failure, nothing half-written is left.

    Raises:
        RefitError: if it cannot be done; the message says what to do.
    """
    way = _Way(say, step)
    try:
        return _refit(root, live, examples, cache, way)
    except _PROBLEMS as error:
        if error is way.stop:
            raise
        raise RefitError(str(error)) from error


def refit_digest(root: Path, live: str, examples: Sequence[Example]) -> str:
    """Names what a refit would learn: its candidate's `data["digest"]` is the same.

    Raises:
        RefitError: if the version has no base.
    """
    try:
        return _digest(base_digest(root, load_card(root / live)), examples)
    except (BaseError, VersionError) as error:
        raise RefitError(str(error)) from error


def _digest(base: str, examples: Sequence[Example]) -> str:
    once = {(e.sha256, e.label): replace(e, group="") for e in examples}
    content = f"{_RECIPE} {base} {data_digest(once.values())}"
    return hashlib.sha256(content.encode()).hexdigest()


def _refit(root: Path, live: str, examples: Sequence[Example], cache: Path, way: _Way) -> Refitted:
    way.go(0.0, gettext_noop("Reading the live version and its base"))
    card = load_version(root / live)
    if card.preprocessing != PREPROCESSING:
        raise RefitError(
            gettext_noop("Version %(version)s prepares photos differently. Train a new version.")
            % {"version": live}
        )
    base, mind = find_base(root, card), mind_of(root / live, card)
    way.lap("base")
    lessons = _look(root / live, card, base, examples, cache, way)
    train = lessons.of("train")
    if not len(train):
        raise RefitError(
            gettext_noop(
                "None of the %(photos)s photos falls into the train split, which is drawn by "
                "content. Approve some more."
            )
            % {"photos": len(lessons.examples)}
        )
    way.go(0.5, gettext_noop("Fitting the heads"))
    teacher = Teacher(base, mind)
    taught = teacher.teach(train, lessons.of("calibration"))
    way.lap("fit")
    feedback = _feedback_exam(teacher, taught, lessons, way)
    way.lap("cross-validation")
    held, strangers = _exams(base, mind, taught)
    way.lap("judging")
    candidate = candidate_card(
        taught,
        mind.card,
        base,
        lessons.examples,
        held,
        feedback,
        _digest(base.sha256[:16], examples),
    )
    return _save(root, mind, taught, candidate, base, (held, feedback, strangers), lessons, way)


def _look(
    folder: Path,
    card: Card,
    base: Base,
    examples: Sequence[Example],
    cache: Path,
    way: _Way,
) -> Lessons:
    kept = usable(examples, base, way.say)
    if not kept:
        raise RefitError(
            gettext_noop("None of %(photos)s photos can be learnt from. Approve some more.")
            % {"photos": len(examples)}
        )
    names = describe_backbones(card)
    first = Backbone(str(names["first"]), card.side, (folder / NETWORK).read_bytes)
    second, looks = None, card.second.looks if card.second else ()
    if card.second is not None:
        second = Backbone(str(names["second"]), card.second.side, (folder / SECOND).read_bytes)
    step = way.part(0.05, 0.5)
    backbones = (first, second)
    lessons = see(kept, base, backbones, looks, FeatureCache(cache), say=way.say, step=step)
    way.lap("features")
    return lessons


def _feedback_exam(teacher: Teacher, taught: Mind, lessons: Lessons, way: _Way) -> Exam:
    """On the feedback's holdout, and on its train split by heads that did not see the photo."""
    train, holdout = lessons.of("train"), lessons.of("holdout")
    groups = {example.sha256: example.group or example.sha256 for example in lessons.examples}
    # Not the first eight digits: they decide the split.
    fold = np.array([int(groups[photo][8:16], 16) % NUM_FOLDS for photo in train.photos])
    answers: list[Answer | None] = [None] * len(train)
    for number in range(NUM_FOLDS):
        way.go(0.55 + 0.25 * number / NUM_FOLDS, gettext_noop("Judging what was learnt"))
        outside = np.flatnonzero(fold == number)
        if len(outside):
            rest = train.only(fold != number)
            stand_in = teacher.stand_in(taught, rest, lessons.of("calibration"))
            for i, answer in zip(outside, stand_in.answers(train.only(outside)), strict=True):
                answers[i] = answer
    shown = train.and_(holdout)
    by_candidate = [*(a for a in answers if a is not None), *taught.answers(holdout)]
    return Exam(taught.card.labels, shown.targets, by_candidate, teacher.like.answers(shown))


def _exams(base: Base, live: Mind, taught: Mind) -> tuple[Exam, Exam]:
    """On the base's holdout, and on photos of something else."""

    def exam(seen: Seen) -> Exam:
        return Exam(base.labels, seen.targets, taught.answers(seen), live.answers(seen))

    slices = slices_of(base.traits, base.holdout.targets, base.labels)
    return replace(exam(base.holdout), slices=slices), exam(base.strangers)


def _save(
    root: Path,
    live: Mind,
    taught: Mind,
    candidate: Card,
    base: Base,
    exams: tuple[Exam, Exam, Exam],
    lessons: Lessons,
    way: _Way,
) -> Refitted:
    """Write the candidate aside, run it, and only then put it where versions are."""
    way.go(0.85, gettext_noop("Writing the candidate"))
    card = replace(candidate, version=next_version(root, date.today()))
    card.training["seconds"] = way.seconds
    files = candidate_files(root / live.card.version, live.card, taught, card)
    aside = Path(tempfile.mkdtemp(prefix=".judging-", dir=root))
    try:
        folder = save_version(aside, card, files)
        way.lap("files")
        way.go(0.9, gettext_noop("Measuring its speed"))
        again = tuple(each.share_looked_at_again(base.holdout) for each in (taught, live))
        costs = compare_costs(
            (folder, root / live.card.version), (again[0], again[1]), _some_pixels(lessons)
        )
        verdict = judge(*exams, *costs)
        way.lap("speed")
        way.go(0.98, gettext_noop("Done: the verdict is there"))
        return Refitted(load_card(_move(folder, root)), verdict)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _some_pixels(lessons: Lessons) -> list[np.ndarray]:
    chosen = lessons.examples[:_NUM_TIMED]
    return [decode_photo(example.path.read_bytes()).pixels for example in chosen]


def _move(folder: Path, root: Path) -> Path:
    try:
        # rename() refuses a folder that is there and not empty: a version is never overwritten.
        return folder.rename(root / folder.name)
    except OSError as error:
        raise RefitError(
            gettext_noop(
                "Version %(version)s could not be put beside the others (%(reason)s). "
                "If another training has just taken its name, start again."
            )
            % {"version": folder.name, "reason": error.strerror}
        ) from error
