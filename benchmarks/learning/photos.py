"""What a version and a frozen backbone make of photos: computed once, then kept under var/."""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image

from ml.duplicates import perceptual_hash, thumbnail
from ml.examples import Example, data_digest, in_split
from ml.features import each_photo, session_from
from ml.inference import OnnxEngine
from ml.photos import Photo, PhotoError, decode_photo
from ml.sources import read_source
from ml.views import PLAIN, view

# Photos of the train split that the experiments learn from: enough for 99 %, seconds to fit.
NUM_TRAIN = 3000
# Side of the tiny photos that stand for "the pixels themselves".
TINY = 24

Say = Callable[[str], None]


@dataclass(frozen=True)
class Seen:
    """All that the experiments need of photos. `n` photos are known, `m` show something else.

    Attributes:
        labels: The version's, shape `(k,)`.
        temperature: The version's.
        unsure_below: The version's threshold; NaN where it is never unsure.
        neither_above: Likewise, for `neither`.
        splits: `calibration` or `holdout`, shape `(n,)`.
        targets: Index of each known photo's label, shape `(n,)`.
        probabilities: The version's, shape `(n, k)`.
        novelty: The version's; NaN where it measures none, shape `(n,)`.
        features: Of the frozen backbone, `float32`, shape `(n, d)`.
        tiny: Each photo squashed to `TINY` pixels, `uint8`, shape `(n, TINY * TINY * 3)`.
        hashes: `ml.duplicates.perceptual_hash`, shape `(n,)`.
        copy_features: As `features`, of a poorer copy of each photo.
        copy_hashes: As `hashes`, of these copies.
        train_targets: Of the first `NUM_TRAIN` photos of the train split by SHA-256.
        train_features: Likewise.
        train_tiny: Likewise.
        kinds: What each photo of something else shows, shape `(m,)`.
        other_probabilities: As `probabilities`, shape `(m, k)`.
        other_novelty: Shape `(m,)`.
        other_features: Shape `(m, d)`.
        imagenet_kernel: Of the backbone's own head, shape `(d, 1000)`.
        imagenet_bias: Shape `(1000,)`.
    """

    labels: np.ndarray
    temperature: np.ndarray
    unsure_below: np.ndarray
    neither_above: np.ndarray
    splits: np.ndarray
    targets: np.ndarray
    probabilities: np.ndarray
    novelty: np.ndarray
    features: np.ndarray
    tiny: np.ndarray
    hashes: np.ndarray
    copy_features: np.ndarray
    copy_hashes: np.ndarray
    train_targets: np.ndarray
    train_features: np.ndarray
    train_tiny: np.ndarray
    kinds: np.ndarray
    other_probabilities: np.ndarray
    other_novelty: np.ndarray
    other_features: np.ndarray
    imagenet_kernel: np.ndarray
    imagenet_bias: np.ndarray


@dataclass(frozen=True)
class _Eyes:
    """A version and a frozen backbone, looking at photos side by side."""

    engine: OnnxEngine
    session: object
    side: int

    def ask(self, photo: Photo, _: Example) -> tuple[np.ndarray, float]:
        """The version's probabilities in the order of its labels, and its novelty."""
        answer = self.engine.predict(photo.pixels)
        ordered = np.array([answer.probabilities[label] for label in self.engine.card.labels])
        return ordered, np.nan if answer.novelty is None else answer.novelty

    def features(self, pixels: np.ndarray) -> np.ndarray:
        """The backbone's features of one photo, shape `(d,)`."""
        batch = view(pixels, PLAIN, self.side)[np.newaxis]
        found = self.session.run(["features"], {"photos": batch})  # type: ignore[attr-defined]
        return np.asarray(found[0][0])


def look(version: Path, data: Path, neither: Path | None, keep: Path, say: Say) -> Seen:
    """Everything about the photos, from `keep` where it was computed before.

    Args:
        version: The version's folder.
        data: Photos of its labels: raw or prepared, see `ml.sources.read_source`.
        neither: Photos of something else, named `KIND.NUMBER.jpg`, or in a folder per kind; None
            where there are none.
        keep: Where what was computed is kept.
        say: Told what is done.
    """
    engine = OnnxEngine(version)
    examples = sorted(read_source(data).examples, key=lambda example: example.sha256)
    others = _list_others(neither) if neither else []
    names = [engine.card.weights_sha256, data_digest(examples), data_digest(others)]
    key = hashlib.sha256(" ".join([*names, str(NUM_TRAIN)]).encode()).hexdigest()[:16]
    kept = keep / f"{key}.npz"
    if kept.is_file():
        say(f"Reading {kept}")
        with np.load(kept, allow_pickle=False) as arrays:
            return Seen(**{field.name: arrays[field.name] for field in fields(Seen)})
    seen = _look(engine, examples, others, say)
    keep.mkdir(parents=True, exist_ok=True)
    np.savez(kept, **{field.name: getattr(seen, field.name) for field in fields(Seen)})
    return seen


def _list_others(folder: Path) -> list[Example]:
    return [
        Example(path, _kind(path, folder), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def poorer_copy(pixels: np.ndarray) -> np.ndarray:
    """The same picture as it comes back from the web: four fifths of the size, JPEG quality 30."""
    small = Image.fromarray(pixels)
    small = small.resize((max(1, small.width * 4 // 5), max(1, small.height * 4 // 5)))
    target = io.BytesIO()
    small.save(target, "JPEG", quality=30)
    return decode_photo(target.getvalue()).pixels


def _look(
    engine: OnnxEngine, examples: Sequence[Example], others: Sequence[Example], say: Say
) -> Seen:
    # Keras takes seconds to import: only where something must be computed.
    from ml.backbones import architecture_named, halve, load_imagenet
    from ml.frozen import backbone_of

    architecture = architecture_named("efficientnet-lite0")
    weights = halve(load_imagenet(architecture))
    eyes = _Eyes(
        engine, session_from(backbone_of(architecture, weights).to_onnx()), architecture.side
    )
    card = engine.card
    known = [*in_split(examples, "calibration"), *in_split(examples, "holdout")]
    say(f"Looking at {len(known)} known photos, {NUM_TRAIN} to train on, {len(others)} others")
    kernel, bias = weights.layers["head"]
    return Seen(
        labels=np.array(card.labels),
        temperature=np.array(card.temperature),
        unsure_below=np.array(card.unsure_below or np.nan),
        neither_above=np.array(card.neither_above or np.nan),
        imagenet_kernel=kernel,
        imagenet_bias=bias,
        **_known(eyes, known),
        **_train(eyes, in_split(examples, "train")[:NUM_TRAIN]),
        **_others(eyes, others),
    )


def _known(eyes: _Eyes, examples: Sequence[Example]) -> dict[str, np.ndarray]:
    def one(photo: Photo, example: Example) -> tuple[object, ...]:
        copy = poorer_copy(photo.pixels)
        return (
            example.split,
            eyes.engine.card.labels.index(example.label),
            *eyes.ask(photo, example),
            eyes.features(photo.pixels),
            _tiny(photo.pixels),
            thumbnail(photo.pixels),
            eyes.features(copy),
            thumbnail(copy),
        )

    columns = _columns(examples, one)
    names = ("splits", "targets", "probabilities", "novelty", "features", "tiny")
    return {
        **dict(zip(names, columns, strict=False)),
        "hashes": perceptual_hash(columns[6]),
        "copy_features": columns[7],
        "copy_hashes": perceptual_hash(columns[8]),
    }


def _train(eyes: _Eyes, examples: Sequence[Example]) -> dict[str, np.ndarray]:
    def one(photo: Photo, example: Example) -> tuple[object, ...]:
        label = eyes.engine.card.labels.index(example.label)
        return label, eyes.features(photo.pixels), _tiny(photo.pixels)

    names = ("train_targets", "train_features", "train_tiny")
    return dict(zip(names, _columns(examples, one), strict=True))


def _others(eyes: _Eyes, examples: Sequence[Example]) -> dict[str, np.ndarray]:
    def one(photo: Photo, example: Example) -> tuple[object, ...]:
        return example.label, *eyes.ask(photo, example), eyes.features(photo.pixels)

    names = ("kinds", "other_probabilities", "other_novelty", "other_features")
    columns = _columns(examples, one) if examples else [np.empty(0)] * len(names)
    return dict(zip(names, columns, strict=True))


def _columns(
    examples: Sequence[Example], work: Callable[[Photo, Example], tuple[object, ...]]
) -> list[np.ndarray]:
    """What `work` gives for each photo that can be decoded, one array per part."""
    rows = [
        row
        for _, row in each_photo(examples, work, "Looking at photos")
        if not isinstance(row, PhotoError)
    ]
    return [np.array(column) for column in zip(*rows, strict=True)]


def _tiny(pixels: np.ndarray) -> np.ndarray:
    small = Image.fromarray(pixels).resize((TINY, TINY), Image.Resampling.BOX)
    return np.asarray(small).reshape(-1)


def _kind(path: Path, folder: Path) -> str:
    """`vehicle` for both `vehicle.0001.jpg` and `vehicle/0001.jpg`."""
    return path.name.split(".")[0] if path.parent == folder else path.parent.name
