"""From labelled photos to a version: frozen features, linear head, thresholds, scores, files."""

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from importlib.metadata import version as version_of_package
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ml.backbones import (
    Architecture,
    Weights,
    architecture_named,
    build,
    halve,
    load_imagenet,
    round_to_half,
    set_weights,
)
from ml.calibration import MIN_PHOTOS, choose_unsure_below, fit_temperature
from ml.evaluation import Evaluation, describe, score
from ml.examples import Example, Split, counts, data_digest, labels_of
from ml.export import ParityError, check_parity, to_keras, to_onnx
from ml.features import Backbone, FeatureCache, Features, features_of, num_cores
from ml.frozen import backbone_of
from ml.heads import Head, TrainingError, fit_head
from ml.inference import answer_from, softmax
from ml.novelty import NOVELTY, NoveltyMeasure, fit_novelty, to_bytes
from ml.photos import PREPROCESSING, decode_photo, fit
from ml.pytorch_stream import WeightsError
from ml.registry import Card, VersionError, load_card, next_version, save_version
from ml.report import model_card
from ml.slices import look_at
from ml.sources import DataError, check_enough, line, read_source
from ml.views import PLAIN, WIDER

# What `train_version` may raise that its caller can tell a person: each says what to do.
PROBLEMS = (DataError, WeightsError, TrainingError, ParityError, VersionError, OSError, ValueError)
# Photos that Keras and ONNX Runtime must agree on: enough to meet each kind, seconds to compute.
_NUM_PARITY_PHOTOS = 64

Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainConfig:
    """What, beside the data, decides what is learnt.

    Attributes:
        architecture: Lite0 answers in 12 ms on one core. On photos of cats and dogs Lite2 took
            twice that and was right no more often: both 98.9 % of 3,274, heads fitted on 6,000.
        l2: Strength of the head's penalty. The log loss is flat from 0.03 to 0.1 (0.0317 on 2,274
            photos of the calibration split) and 0.0389 at 0.003.
        views: How each photo of the train split is looked at. In five-fold cross-validation the
            wider view lowered the log loss on photos of true shape from 0.0314 to 0.0299;
            mirrored photos as well did not (0.0302).
        seed: Where the fit of the head starts.
        max_iterations: Steps of the fit at most; it converges long before.
        max_error: Accepted share of wrong answers among those given: the rest is `unsure`.
        refused: Accepted share of photos of the labels that are called `neither`.
    """

    architecture: str = "efficientnet-lite0"
    l2: float = 3e-2
    views: tuple[str, ...] = (PLAIN, WIDER)
    seed: int = 0
    max_iterations: int = 500
    max_error: float = 0.005
    refused: float = 0.01


@dataclass(frozen=True)
class Trained:
    """What training gives: all that a version is made of.

    Attributes:
        model: The network, in Keras, its weights rounded to half precision.
        head: Its last layer, with the history of its fit.
        card: Of the version to be: labels, temperature and thresholds, chosen on the calibration
            split.
        novelty: What `neither` goes by; None where there were too few photos to choose a limit.
        evaluation: On the holdout.
        examples: The photos used, of all splits.
        config: As it was trained.
        backbone_sha256: Of the frozen weights.
        seconds: Time of each part.
    """

    model: keras.Model
    head: Head
    card: Card
    novelty: NoveltyMeasure | None
    evaluation: Evaluation
    examples: tuple[Example, ...]
    config: TrainConfig
    backbone_sha256: str
    seconds: dict[str, float]


def train_version(
    folder: Path,
    root: Path,
    cache: Path,
    config: TrainConfig,
    *,
    dry_run: bool = False,
    say: Say = lambda _: None,
) -> Card:
    """Train on a folder and save what comes out as a new version.

    Args:
        folder: One sub-folder of photos per label, or what `prepare_data` wrote.
        root: Where versions live.
        cache: Where features are kept between runs.
        config: See `TrainConfig`.
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
    card, files = make_files(trained, version)
    if dry_run:
        say(f"Dry run: version {version} was not saved.")
        return card
    folder = save_version(root, card, files)
    say(f"Saved version {version}.")
    return load_card(folder)  # save_version completed it with the files' checksums


def train(
    examples: Sequence[Example],
    config: TrainConfig,
    cache: Path,
    *,
    folder: Path = Path(),
    say: Say = lambda _: None,
) -> Trained:
    """Fit a head on frozen features, choose its thresholds, score it on the holdout.

    Args:
        examples: Photos of all splits.
        config: See `TrainConfig`.
        cache: Where features are kept between runs.
        folder: Where the photos came from, for messages.
        say: Told what has been found and done.
    """
    started = time.perf_counter()
    architecture = architecture_named(config.architecture)
    weights = halve(load_imagenet(architecture))
    backbone = backbone_of(architecture, weights)
    plain = features_of(examples, backbone, [PLAIN], FeatureCache(cache))
    if plain.broken:
        say(line([example.path for example, _ in plain.broken], "cannot be decoded"))
    check_enough(plain.examples, folder)
    looked = time.perf_counter()
    labels = labels_of(plain.examples)
    head = _fit(plain, labels, config, backbone, FeatureCache(cache))
    fitted = time.perf_counter()
    novelty = _novelty(plain, weights.layers["head"], config)
    card = _choose_thresholds(plain, head, novelty, _blank_card(architecture, labels), config)
    evaluation = _score(plain, head, novelty, card)
    say(f"Holdout: {describe(evaluation)}")
    return Trained(
        model=_assemble(architecture, weights, head),
        head=head,
        card=card,
        novelty=novelty,
        evaluation=evaluation,
        examples=plain.examples,
        config=config,
        backbone_sha256=weights.sha256,
        seconds={"features": round(looked - started, 1), "head": round(fitted - looked, 1)},
    )


def make_files(trained: Trained, version: str) -> tuple[Card, dict[str, bytes]]:
    """A version's card and the content of its files; the exported network is checked on the way.

    Raises:
        ParityError: if Keras and ONNX Runtime disagree on photos of the holdout.
    """
    started = time.perf_counter()
    network = to_onnx(trained.model)
    photos = _some_photos(trained.examples, trained.card.side)
    parity = check_parity(trained.model, network, photos)
    seconds = {**trained.seconds, "export": round(time.perf_counter() - started, 1)}
    card = replace(
        trained.card,
        version=version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        scores=trained.evaluation.for_card(),
        data={"digest": data_digest(trained.examples), "counts": counts(trained.examples)},
        training={
            "config": asdict(trained.config),
            "steps": len(trained.head.history) - 1,
            "loss": round(trained.head.history[-1], 6),
            "head_sha256": trained.head.sha256,
            "backbone_sha256": trained.backbone_sha256,
            "largest_difference_to_keras": parity,
            "seconds": seconds,
            "machine": _machine(),
            "packages": _packages(),
        },
        code_revision=_code_revision(),
    )
    files = {"model.onnx": network, "model.keras": to_keras(trained.model)}
    if trained.novelty:
        files[NOVELTY] = to_bytes(trained.novelty)
    return card, {**files, "MODEL_CARD.md": model_card(card).encode()}


def _fit(
    plain: Features,
    labels: tuple[str, ...],
    config: TrainConfig,
    backbone: Backbone,
    cache: FeatureCache,
) -> Head:
    """Fit the head on all views of the train split, and round it to half precision."""
    chosen = [example for example in plain.examples if example.split == "train"]
    seen = features_of(chosen, backbone, config.views, cache)
    num_views, width = seen.vectors.shape[1:]
    targets = np.repeat([labels.index(example.label) for example in seen.examples], num_views)
    head = fit_head(
        seen.vectors.reshape(-1, width),
        targets,
        len(labels),
        l2=config.l2,
        seed=config.seed,
        max_iterations=config.max_iterations,
    )
    return Head(round_to_half(head.kernel), round_to_half(head.bias), head.history)


def _blank_card(architecture: Architecture, labels: tuple[str, ...]) -> Card:
    return Card(
        version="",
        architecture=architecture.name,
        labels=labels,
        preprocessing=PREPROCESSING,
        side=architecture.side,
        created="",
    )


def _in(features: Features, split: Split) -> list[int]:
    return [i for i, example in enumerate(features.examples) if example.split == split]


def _novelty(
    features: Features, imagenet: tuple[np.ndarray, np.ndarray], config: TrainConfig
) -> NoveltyMeasure | None:
    train, calibration = _in(features, "train"), _in(features, "calibration")
    if len(calibration) < MIN_PHOTOS:
        return None
    vectors = features.vectors[:, 0]
    return fit_novelty(
        vectors[train], vectors[calibration], imagenet, refused=config.refused, seed=config.seed
    )


def _choose_thresholds(
    features: Features,
    head: Head,
    novelty: NoveltyMeasure | None,
    card: Card,
    config: TrainConfig,
) -> Card:
    """Temperature and thresholds from the calibration split, never from the holdout."""
    chosen = _in(features, "calibration")
    logits = head.logits(features.vectors[chosen, 0])
    targets = np.array([card.labels.index(features.examples[i].label) for i in chosen])
    temperature = fit_temperature(logits, targets)
    probabilities = softmax(logits / temperature)
    is_right = probabilities.argmax(axis=1) == targets
    return replace(
        card,
        temperature=temperature,
        unsure_below=choose_unsure_below(probabilities.max(axis=1), is_right, config.max_error),
        neither_above=0.5 if novelty else None,  # the measure puts its own limit there
    )


def _score(
    features: Features, head: Head, novelty: NoveltyMeasure | None, card: Card
) -> Evaluation:
    chosen = _in(features, "holdout")
    vectors = features.vectors[chosen, 0]
    novelties = novelty(vectors) if novelty else [None] * len(chosen)
    answers = [
        answer_from(logits, card, strange)
        for logits, strange in zip(head.logits(vectors), novelties, strict=True)
    ]
    examples = [features.examples[i] for i in chosen]
    return score(examples, answers, look_at(examples, features.sizes[chosen]), card.labels)


def _assemble(architecture: Architecture, weights: Weights, head: Head) -> keras.Model:
    """The backbone with our head in place of ImageNet's."""
    model = build(architecture, len(head.bias))
    ours = {**weights.layers, "head": (head.kernel, head.bias)}
    set_weights(model, Weights(ours, weights.sha256))
    return model


def _some_photos(examples: Sequence[Example], side: int) -> np.ndarray:
    """Photos of the holdout, spread over its labels, shape `(n, side, side, 3)`."""
    holdout = sorted(
        (example for example in examples if example.split == "holdout"),
        key=lambda example: example.sha256,
    )
    chosen = holdout[:_NUM_PARITY_PHOTOS]
    return np.stack([fit(decode_photo(e.path.read_bytes()).pixels, side) for e in chosen])


def _machine() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": num_cores(),
    }


def _packages() -> dict[str, str]:
    return {name: version_of_package(name) for name in ("keras", "numpy", "onnxruntime", "pillow")}


def _code_revision() -> str | None:
    """The commit this code is at, marked where files were changed since; None outside git."""
    git = shutil.which("git")
    if git is None:
        return None
    # A fixed command, in this code's own folder, on the git that the user has.
    said = subprocess.run(  # noqa: S603
        [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
        cwd=Path(__file__).parent,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or None
