"""Ask a version what a photo shows, on ONNX Runtime."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime

from ml.marked import gettext_noop
from ml.novelty import NOVELTY, NoveltyMeasure, from_bytes
from ml.photos import PREPROCESSING, fit
from ml.registry import NETWORK, SECOND, Card, SecondLook, VersionError, load_version
from ml.spatial import local_logits, with_spatial
from ml.views import PLAIN, view

UNSURE = "unsure"
NEITHER = "neither"

_PREPARED_DIFFERENTLY = gettext_noop(
    "Version %(version)s was trained on photos prepared by %(theirs)s; this code prepares them by "
    "%(ours)s."
)
_NOT_LOADED = gettext_noop("Version %(version)s: ONNX Runtime cannot load %(file)s.")


@dataclass(frozen=True)
class Answer:
    """What a version says of a photo.

    Attributes:
        answer: What a person is told: a label, `unsure` or `neither`.
        probabilities: Label to calibrated probability, most probable first; they sum to 1.
        novelty: How unlike anything it was trained on, from 0 to 1; None where not measured.
    """

    answer: str
    probabilities: Mapping[str, float]
    novelty: float | None = None

    @property
    def label(self) -> str:
        """The most probable label."""
        return next(iter(self.probabilities))

    @property
    def confidence(self) -> float:
        """Its probability."""
        return self.probabilities[self.label]


class Engine(Protocol):
    """Whatever answers: `OnnxEngine`, or a stand-in in tests."""

    card: Card

    def predict(self, pixels: np.ndarray) -> Answer:
        """Answer for `uint8` pixels of any size, shape `(h, w, 3)`. Safe to call from threads."""
        ...


class OnnxEngine:
    """A version loaded from its folder.

    Args:
        folder: A version's folder; each file is checked first.
        threads: Cores one run may use. One gives the most answers a second under load; more
            shorten a single answer and cost throughput.

    Raises:
        VersionError: if the folder is incomplete or changed, or this code prepares photos
            differently from the one that trained it.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.card = load_version(folder)
        if self.card.preprocessing != PREPROCESSING:
            raise VersionError(
                _PREPARED_DIFFERENTLY
                % {
                    "version": self.card.version,
                    "theirs": self.card.preprocessing,
                    "ours": PREPROCESSING,
                }
            )
        self._novelty = _load_novelty(folder, self.card)
        self._runs = itertools.count(1)
        self._session = self._load(folder / NETWORK, threads)
        self._second = self._load(folder / SECOND, threads) if self.card.second else None

    def predict(self, pixels: np.ndarray) -> Answer:
        """Answer for one photo's pixels, `uint8`, shape `(h, w, 3)`."""
        logits, features = self.run(fit(pixels, self.card.side)[np.newaxis])
        novelty = float(self._novelty(features)[0]) if self._novelty else None
        closer = self.look_again(pixels) if is_hard(logits, self.card)[0] else None
        return answer_from(logits[0], self.card, novelty, closer)

    def warm_up(self) -> None:
        """Show each network a grey photo: the first answer is slow, and may be nonsense.

        Raises:
            FloatingPointError: if it is: an output is not a finite number.
        """
        grey = np.full((64, 64, 3), 127, np.uint8)
        self.predict(grey)
        closer = self.look_again(grey)
        if closer is not None:
            softmax(closer)

    def run(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits and features of photos that `fit` has prepared.

        Args:
            batch: `uint8`, shape `(n, side, side, 3)`.

        Returns:
            Logits, `float32`, shape `(n, labels)`, and features, `float32`, shape `(n, d)`.
        """
        options = _giving_back if next(self._runs) % _GIVE_BACK_EVERY == 0 else None
        logits, features = self._session.run(["logits", "features"], {"photos": batch}, options)
        return logits, features

    def look_again(self, pixels: np.ndarray) -> np.ndarray | None:
        """The second network's logits, the mean over its looks; None where there is none.

        Args:
            pixels: `uint8`, of any size, shape `(h, w, 3)`.
        """
        if self._second is None or self.card.second is None:
            return None
        batch = _looks_at(pixels, self.card.second)
        return np.asarray(self._second.run(["logits"], {"photos": batch})[0].mean(axis=0))

    def look_where(self, pixels: np.ndarray) -> list[tuple[str, float, np.ndarray]]:
        """What each look at a photo says of each place in it: see `ml.spatial`.

        Args:
            pixels: `uint8`, of any size, shape `(h, w, 3)`.

        Returns:
            Of the first look, and of the closer ones where `predict` takes them: name of the view,
            how much it counts, and logits, `float32`, shape `(rows, columns, labels)`. Their mean,
            so weighed, is its logits.

        Raises:
            SpatialError: if a network cannot say it.
        """
        plain = fit(pixels, self.card.side)[np.newaxis]
        logits, local = local_logits(self._session, plain)
        seen = [(PLAIN, 1.0, local[0])]
        second = self.card.second
        if self._second and second and is_hard(logits, self.card)[0]:
            _, closer = local_logits(self._second, _looks_at(pixels, second))
            weight = second.weight / len(second.looks)
            seen += [(name, weight, of) for name, of in zip(second.looks, closer, strict=True)]
        return seen

    def _load(self, path: Path, threads: int) -> onnxruntime.InferenceSession:
        try:
            session = onnxruntime.InferenceSession(
                with_spatial(path.read_bytes()),
                _options(threads),
                providers=["CPUExecutionProvider"],
            )
        except Exception as error:  # ONNX Runtime's errors share no base class below Exception
            raise VersionError(
                _NOT_LOADED % {"version": self.card.version, "file": path.name}
            ) from error
        session._model_bytes = None  # the file, which it would hold for ever and never read again
        return session


def _looks_at(pixels: np.ndarray, second: SecondLook) -> np.ndarray:
    """A photo as a second network looks at it, shape `(looks, side, side, 3)`."""
    return np.stack([view(pixels, look, second.side) for look in second.looks])


def is_hard(logits: np.ndarray, card: Card) -> np.ndarray:
    """Which photos a version looks at a second time.

    Args:
        logits: The first network's, shape `(n, labels)`.
        card: The version's.

    Returns:
        `bool`, shape `(n,)`.
    """
    if card.second is None:
        return np.zeros(len(logits), bool)
    return np.asarray(softmax(logits / card.temperature).max(axis=1) < card.second.below)


def answer_from(
    logits: np.ndarray,
    card: Card,
    novelty: float | None = None,
    closer: np.ndarray | None = None,
) -> Answer:
    """Turn one photo's logits into an answer by a card's thresholds.

    Args:
        logits: The first network's, shape `(labels,)`.
        card: The version's.
        novelty: See `Answer`.
        closer: The second network's logits, where the photo was looked at again.

    Raises:
        FloatingPointError: if a logit or the novelty is not a finite number.
    """
    if novelty is not None and not math.isfinite(novelty):
        raise FloatingPointError("The novelty is not a finite number.")
    probabilities = probabilities_from(logits, card, closer)
    order = np.argsort(-probabilities, kind="stable")
    ranked = {card.labels[i]: float(probabilities[i]) for i in order}
    label, confidence = next(iter(ranked.items()))
    if card.neither_above is not None and novelty is not None and novelty > card.neither_above:
        answer = NEITHER
    elif card.unsure_below is not None and confidence < card.unsure_below:
        answer = UNSURE
    else:
        answer = label
    return Answer(answer, ranked, novelty)


def probabilities_from(
    logits: np.ndarray, card: Card, closer: np.ndarray | None = None
) -> np.ndarray:
    """Calibrated probabilities: of the first network, or of the mean of both.

    Args:
        logits: The first network's, shape `(…, labels)`.
        card: The version's.
        closer: The second network's, the mean over its looks, of the same shape.

    Raises:
        FloatingPointError: if a logit is not a finite number.
    """
    if closer is None or card.second is None:
        return softmax(logits / card.temperature)
    return softmax(mean_of_both(logits, closer, card.second) / card.second.temperature)


def mean_of_both(logits: np.ndarray, closer: np.ndarray, second: SecondLook) -> np.ndarray:
    """Logits of a hard photo: the mean of both networks', the second one counting for more.

    Args:
        logits: The first network's, shape `(…, labels)`.
        closer: The second network's, the mean over its looks, of the same shape.
        second: Says how much it counts.
    """
    return np.asarray((logits + second.weight * closer) / (1 + second.weight))


def _load_novelty(folder: Path, card: Card) -> NoveltyMeasure | None:
    if NOVELTY not in card.files:
        return None
    try:
        return from_bytes((folder / NOVELTY).read_bytes())
    except (OSError, ValueError) as error:
        raise VersionError(f"Version {card.version}: {error}") from error


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis in double precision, so that probabilities sum to 1.

    Raises:
        FloatingPointError: if a logit is not a finite number.
    """
    if not np.isfinite(logits).all():
        raise FloatingPointError("The network's output is not a finite number.")
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    exponents = np.exp(shifted)
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True))


@cache
def _share_memory() -> None:
    """Let all networks of this process take memory from one pool, which grows by what is needed.

    As a rule each has a pool of its own, which grows by doubling: some 10 MB more.
    """
    info = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    # Any size; as much as is asked for; the default for the rest.
    onnxruntime.create_and_register_allocator(info, onnxruntime.OrtArenaCfg(0, 1, -1, -1))


# The pool that networks share keeps what many photos at once have needed, scattered over more and
# more of it; after such a run, what nobody uses goes back. The next runs ask for it anew.
_GIVE_BACK_EVERY = 64
_giving_back = onnxruntime.RunOptions()
_giving_back.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")


def _options(threads: int) -> onnxruntime.SessionOptions:
    _share_memory()
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads burn the core that the next photo's decoding needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors; warnings about folded constants help nobody
    return options
