"""Ask a version what a photo shows, on ONNX Runtime."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime

from ml.novelty import NOVELTY, NoveltyMeasure, from_bytes
from ml.photos import PREPROCESSING, fit
from ml.registry import Card, VersionError, load_version

UNSURE = "unsure"
NEITHER = "neither"


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
                f"Version {self.card.version} was trained on photos prepared by "
                f"{self.card.preprocessing}; this code prepares them by {PREPROCESSING}."
            )
        self._novelty = _load_novelty(folder, self.card)
        try:
            self._session = onnxruntime.InferenceSession(
                folder / "model.onnx", _options(threads), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's errors share no base class below Exception
            raise VersionError(
                f"Version {self.card.version}: ONNX Runtime cannot load it."
            ) from error

    def predict(self, pixels: np.ndarray) -> Answer:
        """Answer for one photo's pixels, `uint8`, shape `(h, w, 3)`."""
        logits, features = self.run(fit(pixels, self.card.side)[np.newaxis])
        return self.answers(logits, features)[0]

    def answers(self, logits: np.ndarray, features: np.ndarray) -> list[Answer]:
        """Turn what `run` gave for `n` photos into answers."""
        if self._novelty is None:
            return [answer_from(each, self.card) for each in logits]
        novelties = self._novelty(features)
        return [
            answer_from(each, self.card, float(novelty))
            for each, novelty in zip(logits, novelties, strict=True)
        ]

    def run(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits and features of photos that `fit` has prepared.

        Args:
            batch: `uint8`, shape `(n, side, side, 3)`.

        Returns:
            Logits, `float32`, shape `(n, labels)`, and features, `float32`, shape `(n, d)`.
        """
        logits, features = self._session.run(["logits", "features"], {"photos": batch})
        return logits, features


def answer_from(logits: np.ndarray, card: Card, novelty: float | None = None) -> Answer:
    """Turn one photo's logits, shape `(labels,)`, into an answer by a card's thresholds.

    Raises:
        FloatingPointError: if a logit is not a finite number.
    """
    probabilities = softmax(logits / card.temperature)
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


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads burn the core that the next photo's decoding needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors; warnings about folded constants help nobody
    return options
