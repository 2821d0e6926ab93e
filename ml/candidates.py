"""A refitted version's card and files: the live version's, with what was learnt put into them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ml.answering import Mind
from ml.base import Base
from ml.evaluation import rounded, score
from ml.examples import Example, counts, data_digest
from ml.exams import Exam, Marks
from ml.heads import Head
from ml.novelty import NOVELTY, to_bytes
from ml.provenance import code_revision, machine, packages
from ml.registry import NETWORK, SECOND, Card
from ml.report import model_card
from ml.surgery import keras_with_head, with_head
from ml.teaching import Weights

# Each network's two files. The names of Keras' are those of `ml.export`, which imports Keras.
_FILES = ((NETWORK, "model.keras"), (SECOND, "second.keras"))


def candidate_card(
    taught: Mind,
    live: Card,
    base: Base,
    examples: Sequence[Example],
    held: Exam,
    feedback: Exam,
    digest: str,
) -> Card:
    """The card of a candidate, its version's name left open.

    Args:
        taught: What was learnt.
        live: Card of the version that answers.
        base: What learning began with.
        examples: The photos from feedback.
        held: The exam on the base's holdout.
        feedback: That on the feedback.
        digest: Names base and feedback.
    """
    data = base.about["data"]
    return replace(
        taught.card,
        version="",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        scores={**_scores(base, held), "feedback": _marks(feedback.of_candidate)},
        data={**data, "digest": digest, "feedback": _counted(examples)},
        training=_training(taught, live, base, examples),
        code_revision=code_revision(),
        files={},
    )


def candidate_files(folder: Path, live: Card, taught: Mind, card: Card) -> dict[str, bytes]:
    """The content of a candidate's files.

    Args:
        folder: The live version's.
        live: Its card.
        taught: What was learnt.
        card: The candidate's.

    Raises:
        SurgeryError: if a file of the live version is not built as ours are.
    """
    files: dict[str, bytes] = {}
    for head, (network, by_keras) in zip((taught.first, taught.second), _FILES, strict=True):
        if head is not None:
            files[network] = with_head((folder / network).read_bytes(), head)
            if by_keras in live.files:
                files[by_keras] = keras_with_head((folder / by_keras).read_bytes(), head)
    if taught.novelty is not None:
        files[NOVELTY] = to_bytes(taught.novelty)
    return {**files, "MODEL_CARD.md": model_card(card).encode()}


def _scores(base: Base, held: Exam) -> dict[str, Any]:
    """On the base's holdout, as training scores a version."""
    shown = [
        Example(Path(), base.labels[target], photo)
        for photo, target in zip(base.holdout.photos, base.holdout.targets, strict=True)
    ]
    return score(shown, held.candidate, base.traits, base.labels).for_card()


def _marks(marks: Marks) -> dict[str, Any]:
    """On the feedback: each photo by heads that did not see it."""
    known = np.isfinite(marks.loss)
    return rounded(
        {
            "count": len(marks.told),
            "told": float(marks.told.mean()) if len(marks.told) else None,
            "accuracy": float(marks.right[known].mean()) if known.any() else None,
            "log_loss": float(marks.loss[known].mean()) if known.any() else None,
        }
    )


def _counted(examples: Sequence[Example]) -> dict[str, Any]:
    return {"digest": data_digest(examples), "counts": counts(examples)}


def _training(taught: Mind, live: Card, base: Base, examples: Sequence[Example]) -> dict[str, Any]:
    """What of the live version's notes is still true, and what is new."""
    weights = Weights()
    kept: dict[str, Any] = {
        name: live.training[name]
        for name in ("config", "backbone_sha256", "int8", "recipe", "device")
        if name in live.training
    }
    training: dict[str, Any] = {
        **kept,
        **_fit(taught.first),
        "base": {"sha256": base.sha256, "version": base.about["version"]},
        "feedback": {
            **_counted(examples),
            "weight": weights.heads,
            "novelty_weight": weights.novelty,
        },
        "history": [round(loss, 6) for loss in taught.first.history],
        "machine": machine(),
        "packages": packages(("numpy", "onnx", "onnxruntime", "pillow")),
    }
    if taught.second is not None:
        second = live.training["second"]
        same = {name: second[name] for name in ("backbone_sha256", "int8") if name in second}
        training["second"] = {**same, **_fit(taught.second)}
    return training


def _fit(head: Head) -> dict[str, Any]:
    return {
        "head_sha256": head.sha256,
        "steps": len(head.history) - 1,
        "loss": round(head.history[-1], 6),
    }
