"""From labelled photos to a version: network, temperature, thresholds, scores, files."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np

from ml.architectures import FROM_SCRATCH, TRANSFER, check_architecture
from ml.base_making import make_base
from ml.calibration import MIN_PHOTOS, choose_unsure_below, fit_temperature
from ml.evaluation import Evaluation, describe, score
from ml.examples import Example, Split, labels_of
from ml.features import FeatureCache, Features, features_of
from ml.heads import TrainingError
from ml.inference import NEITHER, Answer, answer_from
from ml.learning import Learnt, learn_from_imagenet, learn_from_scratch
from ml.novelty import NoveltyMeasure, fit_novelty
from ml.packing import Trained, make_files
from ml.parity import ParityError
from ml.photos import PREPROCESSING
from ml.pytorch_stream import WeightsError
from ml.registry import Card, VersionError, load_card, next_version, save_version
from ml.second_look import SecondNetwork, add_second_look
from ml.slices import look_at
from ml.sources import DataError, check_enough, line, read_source
from ml.views import CLOSER, PLAIN, WHOLE, WIDER

# What `train_version` may raise that its caller can tell a person: each says what to do.
PROBLEMS = (DataError, WeightsError, TrainingError, ParityError, VersionError, OSError, ValueError)

# Takes several times Lite0's time, and is shown few photos.
SECOND_ARCHITECTURE = "efficientnet-lite2-peaks"

Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainConfig:
    """What, beside the data, decides what is learnt.

    Attributes:
        architecture: One of `ml.architectures`. Lite0 answers in 12 ms on one core.
        second: Architecture of the network that is asked about hard photos, which begins with
            ImageNet's weights; None: every photo is looked at once.
        second_views: How the second network looks at photos of the train split.
        looks: And how at a hard photo that is to be answered: by `benchmarks.second_looks`, on
            18,036 photos, the whole photo alone left 118 wrong, closer and whole 125, in twice the
            time, for a log loss of 0.0219 and 0.0213.
        second_weight: How much the second network counts, where the first one counts 1: there, 2
            left 118 wrong, 1 left 127.
        look_again: Share of the calibration photos that count as hard. There, 0.085 left 122 wrong
            (log loss 0.0236), 0.15 left 118 (0.0219).
        l2: Strength of the head's penalty. The log loss is flat from 0.03 to 0.1 (0.0317 on 2,274
            photos of the calibration split) and 0.0389 at 0.003.
        views: How each photo of the train split is looked at. In five-fold cross-validation the
            wider view lowered the log loss on photos of true shape from 0.0314 to 0.0299;
            mirrored photos as well did not (0.0302).
        seed: Of all chance there is.
        max_iterations: Steps of the fit of the head at most; it converges long before.
        max_error: Accepted share of wrong answers among those given: the rest is `unsure`.
        refused: Accepted share of photos of the labels that are called `neither`. At 0.006 there
            were 1.97 % of 660 photos of something else answered all the same, at 0.008 1.36 %, at
            0.01 1.06 %: so this share was chosen with photos of something else in view.
        int8: Which network computes in whole numbers of 8 bits: `"first"`, `"second"`, `"both"`,
            or None.
    """

    architecture: str = "efficientnet-lite0"
    second: str | None = None
    second_views: tuple[str, ...] = (CLOSER, WHOLE)
    looks: tuple[str, ...] = (WHOLE,)
    second_weight: float = 2.0
    look_again: float = 0.15
    l2: float = 3e-2
    views: tuple[str, ...] = (PLAIN, WIDER)
    seed: int = 0
    max_iterations: int = 500
    max_error: float = 0.0025
    refused: float = 0.008
    int8: str | None = None


def config_from(
    *, architecture: str, second_look: bool, int8: str | None, seed: int, **_: object
) -> TrainConfig:
    """What the options of a command ask for; other options are passed over.

    Raises:
        ValueError: if they do not go together.
    """
    check_architecture(architecture)
    if int8 in ("first", "both") and architecture in FROM_SCRATCH:
        raise ValueError(f"8 bits are for {', '.join(TRANSFER)}. Received: {architecture!r}")
    if int8 in ("second", "both") and not second_look:
        raise ValueError(f"There is a second network with --second-look only. Received: {int8!r}")
    second = SECOND_ARCHITECTURE if second_look else None
    return TrainConfig(architecture=architecture, second=second, int8=int8, seed=seed)


def about_from(*, data_name: str | None, data_terms: str | None, **_: object) -> dict[str, str]:
    """What the options of a command say of the data."""
    said = {"name": data_name, "terms": data_terms}
    return {key: text for key, text in said.items() if text}


def train_version(
    folder: Path,
    root: Path,
    cache: Path,
    config: TrainConfig,
    *,
    about: Mapping[str, str] | None = None,
    dry_run: bool = False,
    say: Say = lambda _: None,
) -> Card:
    """Train on a folder and save what comes out as a new version.

    Args:
        folder: One sub-folder of photos per label, or what `prepare_data` wrote.
        root: Where versions live.
        cache: Where features are kept between runs.
        config: See `TrainConfig`.
        about: `name` and `terms` of the data, for the card.
        dry_run: Do all of it but save nothing.
        say: Told, in a sentence, what has been found and done.

    Returns:
        The card of the new version.

    Raises:
        DataError: if the folder cannot be trained on.
        WeightsError: if the backbone's weights are missing or changed.
        TrainingError: if the fit fails.
        ParityError: if Keras and ONNX Runtime disagree.
        VersionError: if the version cannot be saved.
    """
    source = read_source(folder)
    for sentence in source.report():
        say(sentence)
    trained = train(source.examples, config, cache, folder=folder, say=say)
    version = next_version(root, date.today())
    card, files = make_files(trained, version, about or {})
    if dry_run:
        say(f"Dry run: version {version} was not saved.")
        return card
    folder = save_version(root, card, files)
    say(f"Saved version {version}.")
    _make_base(root, version, trained.examples, cache, say)
    return load_card(folder)  # save_version completed it with the files' checksums


def _make_base(
    root: Path, version: str, examples: Sequence[Example], cache: Path, say: Say
) -> None:
    """What feedback will be learnt on; without it the version is as good, but learns no more."""
    try:
        make_base(root, version, examples, cache, say=say)
    except OSError as error:
        say(
            f"Its base could not be written ({error}). Make it later: "
            f"python -m ml base --version {version} --data DIR"
        )


def train(
    examples: Sequence[Example],
    config: TrainConfig,
    cache: Path,
    *,
    folder: Path = Path(),
    say: Say = lambda _: None,
) -> Trained:
    """Learn, choose temperature and thresholds, score on the holdout.

    Args:
        examples: Photos of all splits.
        config: See `TrainConfig`.
        cache: Where features are kept between runs.
        folder: Where the photos came from, for messages.
        say: Told what has been found and done.
    """
    check_architecture(config.architecture)
    clock = _Clock()
    learnt = _learn(examples, config, cache, say)
    clock.lap("network")
    seen = features_of(examples, learnt.backbone, [PLAIN], FeatureCache(cache))
    if seen.broken:
        say(line([example.path for example, _ in seen.broken], "cannot be decoded"))
    check_enough(seen.examples, folder)
    clock.lap("features")
    photos = _Photos(seen, learnt.head.logits(seen.vectors[:, 0]), labels_of(seen.examples))
    card = _with_temperature(_blank_card(learnt, config, photos.labels), photos)
    card, second = _second_look(card, photos, config, cache)
    clock.lap("second look")
    novelty = _novelty(photos, learnt, config)
    card = _with_thresholds(card, photos.of("calibration"), second, novelty, config)
    evaluation = _score(photos.of("holdout"), card, second, novelty)
    say(f"Holdout: {describe(evaluation)}")
    return Trained(
        learnt=learnt,
        second=second,
        card=card,
        novelty=novelty,
        evaluation=evaluation,
        examples=seen.examples,
        config=asdict(config),
        seconds=clock.laps,
    )


@dataclass
class _Clock:
    """Seconds of each part of a training."""

    laps: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name], self._since = round(now - self._since, 1), now


@dataclass(frozen=True)
class _Photos:
    """Photos as the first network sees them.

    Attributes:
        features: Of `n` photos, one view each.
        logits: Shape `(n, labels)`.
        labels: In the order of the logits.
    """

    features: Features
    logits: np.ndarray
    labels: tuple[str, ...]

    @property
    def examples(self) -> tuple[Example, ...]:
        """The photos themselves."""
        return self.features.examples

    @property
    def targets(self) -> np.ndarray:
        """Index of each photo's label, shape `(n,)`."""
        return np.array([self.labels.index(example.label) for example in self.examples])

    @property
    def vectors(self) -> np.ndarray:
        """Shape `(n, d)`."""
        return np.asarray(self.features.vectors[:, 0])

    def of(self, split: Split) -> "_Photos":
        """Those of one split."""
        chosen = [i for i, example in enumerate(self.examples) if example.split == split]
        features = Features(
            tuple(self.examples[i] for i in chosen),
            self.features.vectors[chosen],
            self.features.sizes[chosen],
            (),
        )
        return _Photos(features, self.logits[chosen], self.labels)


def _learn(examples: Sequence[Example], config: TrainConfig, cache: Path, say: Say) -> Learnt:
    if config.architecture in FROM_SCRATCH:
        return learn_from_scratch(examples, config.architecture, cache, config.seed, say)
    name, views = config.architecture, config.views
    int8 = config.int8 in ("first", "both")
    return _transfer(examples, name, views, config, cache, int8=int8)


def _transfer(
    examples: Sequence[Example],
    name: str,
    views: Sequence[str],
    config: TrainConfig,
    cache: Path,
    *,
    int8: bool,
) -> Learnt:
    return learn_from_imagenet(
        examples,
        name,
        cache,
        views=views,
        l2=config.l2,
        seed=config.seed,
        max_iterations=config.max_iterations,
        int8=int8,
    )


def _blank_card(learnt: Learnt, config: TrainConfig, labels: tuple[str, ...]) -> Card:
    return Card(
        version="",
        architecture=config.architecture,
        labels=labels,
        preprocessing=PREPROCESSING,
        side=learnt.backbone.side,
        created="",
    )


def _with_temperature(card: Card, photos: _Photos) -> Card:
    """Fitted on the calibration split, as all that follows; never on the holdout."""
    calibration = photos.of("calibration")
    return replace(card, temperature=fit_temperature(calibration.logits, calibration.targets))


def _second_look(
    card: Card, photos: _Photos, config: TrainConfig, cache: Path
) -> tuple[Card, SecondNetwork | None]:
    """Train a second network and decide when it is asked, if there is to be one."""
    if config.second is None:
        return card, None
    int8 = config.int8 in ("second", "both")
    views = config.second_views
    learnt = _transfer(photos.examples, config.second, views, config, cache, int8=int8)
    second = SecondNetwork(learnt, config.looks, config.second_weight, cache)
    calibration = photos.of("calibration")
    card = add_second_look(
        card,
        second,
        calibration.examples,
        calibration.logits,
        calibration.targets,
        config.look_again,
    )
    return card, second


def _novelty(photos: _Photos, learnt: Learnt, config: TrainConfig) -> NoveltyMeasure | None:
    train, calibration = photos.of("train"), photos.of("calibration")
    if len(calibration.logits) < MIN_PHOTOS:
        return None
    return fit_novelty(
        train.vectors,
        calibration.vectors,
        learnt.imagenet,
        refused=config.refused,
        seed=config.seed,
    )


def _closer(photos: _Photos, card: Card, second: SecondNetwork | None) -> np.ndarray:
    """The second network's logits; not a number where a photo is looked at once."""
    if second is None:
        return np.full_like(photos.logits, np.nan)
    return second.closer(photos.examples, photos.logits, card)


def _with_thresholds(
    card: Card,
    calibration: _Photos,
    second: SecondNetwork | None,
    novelty: NoveltyMeasure | None,
    config: TrainConfig,
) -> Card:
    """When to say `unsure`, and when `neither`: the measure puts its own limit at a half."""
    card = replace(card, neither_above=0.5 if novelty else None)
    answers = _answers(calibration, card, second, novelty)
    given = [i for i, answer in enumerate(answers) if answer.answer != NEITHER]
    confidence = np.array([answers[i].confidence for i in given])
    is_right = np.array([answers[i].label == calibration.examples[i].label for i in given], bool)
    return replace(card, unsure_below=choose_unsure_below(confidence, is_right, config.max_error))


def _answers(
    photos: _Photos, card: Card, second: SecondNetwork | None, novelty: NoveltyMeasure | None
) -> list[Answer]:
    """What the version will say of photos."""
    closer = _closer(photos, card, second)
    novelties = novelty(photos.vectors) if novelty else [None] * len(photos.logits)
    return [
        answer_from(logits, card, strange, None if np.isnan(again).any() else again)
        for logits, strange, again in zip(photos.logits, novelties, closer, strict=True)
    ]


def _score(
    holdout: _Photos, card: Card, second: SecondNetwork | None, novelty: NoveltyMeasure | None
) -> Evaluation:
    answers = _answers(holdout, card, second, novelty)
    traits = look_at(holdout.examples, holdout.features.sizes)
    return score(holdout.examples, answers, traits, card.labels)
