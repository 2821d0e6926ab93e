"""The files of a version: its networks, exported and checked, its measures, its card."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ml.evaluation import Evaluation
from ml.examples import Example, counts, data_digest
from ml.export import KERAS, SECOND_KERAS
from ml.figures import figures_of
from ml.learning import Learnt
from ml.novelty import NOVELTY, NoveltyMeasure, to_bytes
from ml.photos import decode_photo, fit
from ml.provenance import code_revision, machine, packages
from ml.quantise import cost_of
from ml.registry import NETWORK, SECOND, Card
from ml.report import model_card
from ml.second_look import SecondNetwork

# Photos that Keras and ONNX Runtime must agree on: enough to meet each kind, seconds to compute.
_NUM_PARITY_PHOTOS = 64


@dataclass(frozen=True)
class Trained:
    """What training gives: all that a version is made of.

    Attributes:
        learnt: The network, with its history.
        second: The network of the second look; None where there is none.
        card: Of the version to be: labels, temperatures and thresholds, chosen on the calibration
            split.
        novelty: What `neither` goes by; None where there were too few photos to choose a limit.
        evaluation: On the holdout.
        examples: The photos used, of all splits.
        config: As it was trained.
        seconds: Time of each part.
    """

    learnt: Learnt
    second: SecondNetwork | None
    card: Card
    novelty: NoveltyMeasure | None
    evaluation: Evaluation
    examples: tuple[Example, ...]
    config: dict[str, Any]
    seconds: dict[str, float]


def make_files(
    trained: Trained, version: str, about: Mapping[str, str]
) -> tuple[Card, dict[str, bytes]]:
    """A version's card and the content of its files; exported networks are checked on the way.

    Args:
        trained: What training gave.
        version: The version's name.
        about: `name` and `terms` of the data, as far as known.

    Raises:
        ParityError: if Keras and ONNX Runtime disagree on photos of the holdout.
    """
    started = time.perf_counter()
    learnt, second = trained.learnt, trained.second
    files, notes = _export(learnt, NETWORK, KERAS, trained.examples)
    if second:
        more, of_second = _export(second.learnt, SECOND, SECOND_KERAS, trained.examples)
        files, notes = {**files, **more}, {**notes, "second": of_second}
    seconds = {**trained.seconds, "export": round(time.perf_counter() - started, 1)}
    card = replace(
        trained.card,
        version=version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        scores=trained.evaluation.for_card(),
        data={
            "digest": data_digest(trained.examples),
            "counts": counts(trained.examples),
            **about,
        },
        training={
            "config": trained.config,
            **notes,
            "history": learnt.history,
            "seconds": seconds,
            "machine": machine(),
            "packages": packages(("keras", "numpy", "onnxruntime", "pillow")),
        },
        code_revision=code_revision(),
    )
    if trained.novelty:
        files[NOVELTY] = to_bytes(trained.novelty)
    figures = figures_of(trained.evaluation, card, history=learnt.history)
    page = model_card(card, figures).encode()
    return card, {**files, **figures, "MODEL_CARD.md": page}


def _export(
    learnt: Learnt, onnx_name: str, keras_name: str, examples: Sequence[Example]
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """A network in both forms, and what the card should say of it."""
    forms = learnt.template.with_head(learnt.head, learnt.steps)
    photos = _some_photos(examples, learnt.backbone.side)
    notes = {
        **learnt.notes,
        "head_sha256": learnt.head.sha256,
        "backbone_sha256": learnt.backbone.weights_sha256,
        "largest_difference_to_keras": learnt.template.check(forms, photos),
    }
    if forms.small is not None:
        notes["int8"] = asdict(cost_of(forms.small, forms.network, photos))
    return {onnx_name: forms.small or forms.network, keras_name: forms.by_keras}, notes


def _some_photos(examples: Sequence[Example], side: int) -> np.ndarray:
    """Photos of the holdout, spread over its labels, shape `(n, side, side, 3)`."""
    holdout = sorted(
        (example for example in examples if example.split == "holdout"),
        key=lambda example: example.sha256,
    )
    chosen = holdout[:_NUM_PARITY_PHOTOS]
    return np.stack([fit(decode_photo(e.path.read_bytes()).pixels, side) for e in chosen])
