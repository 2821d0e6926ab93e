"""How unlike its training photos a photo is: what lets a version say "neither".

Two measures are added up, both computed from the features that the network gives anyway:

- *Strangeness to ImageNet's eyes.* The backbone was trained to tell 1000 classes apart. Which of
  them the training photos look like is counted; a photo that looks like other classes is strange.
  Nobody names the classes: with cats and dogs they turn out to be the breeds.
- *Distance to the nearest training photos*, by the angle between features.

Neither needs photos of what is neither, so both work for any labels. A network trained from
scratch has no ImageNet's eyes: there the distance is all.

What people teach later joins in: photos of the labels that they approved become familiar, and of
photos that they called neither the measure keeps the features, as *known strangers*.

Sources:
    D. Hendrycks, K. Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution
    Examples in Neural Networks", ICLR 2017 (why confidence alone will not do).
    Y. Sun, Y. Ming, X. Zhu, Y. Li, "Out-of-Distribution Detection with Deep Nearest Neighbors",
    ICML 2022 (the second measure).
"""

import hashlib
import io
from dataclasses import dataclass, replace
from zipfile import BadZipFile

import numpy as np

# The measure's file in a version's folder.
NOVELTY = "novelty.npz"

# A class is familiar by half if the training photos give it as much as a uniform guess would.
_UNIFORM = 1 / 1000
# The nearest but four: one mislabelled or odd training photo makes nothing familiar.
_NEIGHBOUR = 5
# Arrays that a measure has only where people taught it something.
_TAUGHT = ("approved", "strangers")
# Of each kind of photo from feedback so many are kept: 1.3 MB of the shipped network's features.
_MOST = 500
# A lead in likeness to a known stranger counts this many times as much as the same distance.
_KNOWN = 2.0
# Keeps log() finite for a photo that is wholly familiar or wholly strange.
_TINY = 1e-6


@dataclass(frozen=True)
class NoveltyMeasure:
    """What novelty is measured against.

    Attributes:
        kernel: Of ImageNet's head, shape `(d, 1000)`; `(d, 0)` where there is none.
        bias: Of ImageNet's head, shape `(1000,)` or `(0,)`.
        familiar: How much each ImageNet class is one the training photos look like, from 0 to 1,
            shape `(1000,)` or `(0,)`.
        neighbours: Features of some training photos, of length 1, shape `(m, d)`.
        means: Of the two measures on the calibration photos, shape `(2,)`.
        deviations: Likewise.
        weight: Of the distance; the strangeness has 1.
        limit: Sum of the two at which novelty is a half.
        approved: Further neighbours, from feedback, of length 1, shape `(k, d)`.
        strangers: Features of photos that people called neither, of length 1, shape `(s, d)`. A
            photo more like one of them than like its neighbours is as much more novel.
    """

    kernel: np.ndarray
    bias: np.ndarray
    familiar: np.ndarray
    neighbours: np.ndarray
    means: np.ndarray
    deviations: np.ndarray
    weight: float
    limit: float
    approved: np.ndarray | None = None
    strangers: np.ndarray | None = None

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Novelty of photos, from 0 to 1; a half is the limit of what is known.

        Args:
            features: `float32`, shape `(n, d)`.

        Returns:
            `float64`, shape `(n,)`.
        """
        return self.novelty_of(self.look(features))

    def novelty_of(self, looked: "Looked") -> np.ndarray:
        """The same, of photos that were looked at before."""
        above = self.sums(looked) - self.limit
        return np.asarray(1 / (1 + np.exp(-np.clip(above, -50, 50))))

    def look(self, features: np.ndarray) -> "Looked":
        """All that takes time, and that no teaching changes."""
        vectors = _unit(features)
        likeness = vectors @ self.neighbours.T  # (n, m)
        nearest = min(_NEIGHBOUR, likeness.shape[1])
        return Looked(
            vectors,
            np.partition(likeness, -nearest, axis=1)[:, -nearest:],
            _softmax(features @ self.kernel + self.bias) if len(self.bias) else None,
        )

    def sums(self, looked: "Looked") -> np.ndarray:
        """What is compared with the limit, shape `(n,)`."""
        likeness = self._likeness(looked)
        parts = (self._parts(looked, likeness) - self.means) / self.deviations  # (n, 2)
        both = parts @ np.array([1.0, self.weight])
        return np.asarray(both + self._known(looked, likeness))

    @property
    def sha256(self) -> str:
        """Of what no teaching changes: ImageNet's head and the neighbours from training."""
        parts = (self.kernel, self.bias, self.neighbours)
        content = b"".join(np.ascontiguousarray(part, "<f4").tobytes() for part in parts)
        return hashlib.sha256(content).hexdigest()

    def _parts(self, looked: "Looked", likeness: np.ndarray) -> np.ndarray:
        """Strangeness, in log odds, and distance, shape `(n, 2)`."""
        return np.stack([self._strangeness(looked), 1 - likeness], axis=1).astype(np.float64)

    def _likeness(self, looked: "Looked") -> np.ndarray:
        """To the nearest neighbours, the cosine of the angle, shape `(n,)`."""
        likeness = looked.nearest
        if self.approved is not None:
            likeness = np.hstack([likeness, looked.vectors @ self.approved.T])
        nearest = looked.nearest.shape[1]
        return np.asarray(np.partition(likeness, -nearest, axis=1)[:, -nearest])

    def _known(self, looked: "Looked", likeness: np.ndarray) -> np.ndarray:
        """How much more photos are like a known stranger than like neighbours, shape `(n,)`."""
        if self.strangers is None or not len(self.strangers):
            return np.zeros(len(likeness))
        nearer = (looked.vectors @ self.strangers.T).max(axis=1) - likeness
        return np.asarray(_KNOWN * self.weight * np.maximum(nearer, 0) / self.deviations[1])

    def _strangeness(self, looked: "Looked") -> np.ndarray:
        """How little photos look like familiar ImageNet classes, in log odds, shape `(n,)`."""
        if looked.classes is None:
            return np.zeros(len(looked.vectors))
        share = looked.classes @ self.familiar  # (n,)
        return np.asarray(np.log(1 - share + _TINY) - np.log(share + _TINY))


@dataclass(frozen=True)
class Looked:
    """Photos as a measure sees them before anything was taught.

    Attributes:
        vectors: Features of length 1, shape `(n, d)`.
        nearest: Likeness to the nearest neighbours from training, shape `(n, up to 5)`.
        classes: Probabilities of ImageNet's classes, shape `(n, 1000)`; None where there are none.
    """

    vectors: np.ndarray
    nearest: np.ndarray
    classes: np.ndarray | None


def fit_novelty(
    train: np.ndarray,
    calibration: np.ndarray,
    imagenet: tuple[np.ndarray, np.ndarray] | None,
    *,
    refused: float = 0.01,
    weight: float = 1.0,
    num_neighbours: int = 1000,
    seed: int = 0,
) -> NoveltyMeasure:
    """Learn what is familiar.

    Args:
        train: Features of the training photos, `float32`, shape `(n, d)`.
        calibration: Features of photos that are known but were not trained on, shape `(m, d)`.
        imagenet: Kernel and bias of ImageNet's head on these features; None where there is none.
        refused: Share of known photos that may be called novel; it sets the limit.
        weight: Of the distance. On cats and dogs 1 answered 0.8 % of the photos of neither, 0.5
            answered 1.1 % and 0 answered 3.2 %, with 1 % of the known photos refused.
        num_neighbours: Training photos to keep for the distance; a random choice.
        seed: Of that choice.
    """
    kernel, bias = imagenet or (np.zeros((train.shape[1], 0)), np.zeros(0))
    usage = _softmax(train @ kernel + bias).mean(axis=0) if imagenet else bias  # (1000,) or (0,)
    chosen = np.random.default_rng(seed).permutation(len(train))[:num_neighbours]
    # Rounded as they will be stored: what is measured here is what will answer.
    half = _as_stored(_unit(train[np.sort(chosen)]))
    measure = NoveltyMeasure(
        kernel=_as_stored(kernel),
        bias=bias.astype(np.float32),
        familiar=(usage / (usage + _UNIFORM)).astype(np.float32),
        neighbours=half,
        means=np.zeros(2),
        deviations=np.ones(2),
        weight=weight,
        limit=0.0,
    )
    looked = measure.look(calibration)
    parts = measure._parts(looked, measure._likeness(looked))
    scaled = replace(measure, means=parts.mean(axis=0), deviations=parts.std(axis=0) + _TINY)
    return replace(scaled, limit=float(np.quantile(scaled.sums(looked), 1 - refused)))


def extend_novelty(
    measure: NoveltyMeasure,
    calibration: Looked,
    approved: np.ndarray,
    strangers: np.ndarray,
    *,
    more_calibration: np.ndarray,
    num_train: int,
    weight: float,
    refused: float,
) -> NoveltyMeasure:
    """Make approved photos familiar, and remember what people called neither.

    Args:
        measure: From `fit_novelty`, not yet extended.
        calibration: Known photos that were not trained on, from `measure.look`.
        approved: Features of photos of the labels, from feedback, shape `(k, d)`; the first
            `_MOST` are kept as neighbours.
        strangers: Features of photos of neither, likewise, shape `(s, d)`.
        more_calibration: Features of known photos from feedback, likewise not trained on.
        num_train: Photos that `measure` was fitted to.
        weight: How many of these an approved photo counts for.
        refused: As for `fit_novelty`.
    """
    extended = replace(
        measure,
        familiar=_more_familiar(measure, approved, num_train, weight),
        approved=_as_stored(_unit(approved[:_MOST])) if len(approved) else None,
        strangers=_as_stored(_unit(strangers[:_MOST])) if len(strangers) else None,
    )
    # The limit moves as far as that of the same photos does: where nothing was taught, nowhere.
    before = np.quantile(measure.sums(calibration), 1 - refused)
    known = extended.sums(calibration)
    if len(more_calibration):
        known = np.concatenate([known, extended.sums(measure.look(more_calibration))])
    return replace(extended, limit=measure.limit + float(np.quantile(known, 1 - refused) - before))


def _more_familiar(
    measure: NoveltyMeasure, approved: np.ndarray, num_train: int, weight: float
) -> np.ndarray:
    """How familiar ImageNet's classes are with approved photos among those trained on."""
    if not len(approved) or not len(measure.bias):
        return measure.familiar
    usage = _UNIFORM * measure.familiar / (1 - measure.familiar)
    more = _softmax(approved @ measure.kernel + measure.bias).sum(axis=0)
    usage = (num_train * usage + weight * more) / (num_train + weight * len(approved))
    return np.asarray(usage / (usage + _UNIFORM), np.float32)


def to_bytes(measure: NoveltyMeasure) -> bytes:
    """The content of a version's `novelty.npz`: large arrays in half precision."""
    target = io.BytesIO()
    taught = {name: getattr(measure, name) for name in _TAUGHT}
    np.savez(
        target,
        kernel=measure.kernel.astype(np.float16),
        bias=measure.bias,
        familiar=measure.familiar,
        neighbours=measure.neighbours.astype(np.float16),
        means=measure.means,
        deviations=measure.deviations,
        weight=measure.weight,
        limit=measure.limit,
        **{name: each.astype(np.float16) for name, each in taught.items() if each is not None},
    )
    return target.getvalue()


def from_bytes(content: bytes) -> NoveltyMeasure:
    """Read what `to_bytes` wrote; nothing in it can run.

    Raises:
        ValueError: if it is something else.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        return NoveltyMeasure(
            kernel=found["kernel"].astype(np.float32),
            bias=found["bias"],
            familiar=found["familiar"],
            neighbours=found["neighbours"].astype(np.float32),
            means=found["means"],
            deviations=found["deviations"],
            weight=float(found["weight"]),
            limit=float(found["limit"]),
            **{name: found[name].astype(np.float32) for name in _TAUGHT if name in found},
        )
    except (KeyError, OSError, TypeError, ValueError, EOFError, BadZipFile) as error:
        raise ValueError(f"This is no measure of novelty ({error}).") from error


def _as_stored(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float16).astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors scaled to length 1, shape `(n, d)`."""
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + _TINY))


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
