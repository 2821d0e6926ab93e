"""Rows and stand-ins for tests, everything defaulted."""

from datetime import UTC, datetime

import numpy as np

from classifier.models import ModelVersion, Prediction
from feedback.giving import give_feedback
from ml.inference import Answer, answer_from
from ml.photos import PREPROCESSING, decode_photo
from ml.registry import Card, save_version
from tests.photos import photo_bytes


def make_card(version="2026-01-01.1", **changes):
    card = {
        "version": version,
        "architecture": "made-for-tests",
        "labels": ("cat", "dog"),
        "preprocessing": PREPROCESSING,
        "side": 32,
        "created": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        "files": {"model.onnx": "0" * 64},
        "data": {"digest": "d" * 64},
        "scores": {"accuracy": 0.5},
    }
    return Card(**{**card, **changes})


def make_version(name="2026-01-01.1", **changes):
    """A version in the database, live if `live=True`."""
    live = changes.pop("live", False)
    version = ModelVersion.objects.register(make_card(name, **changes))
    if live:
        version.promote()
    return version


def make_prediction(label="cat", confidence=0.9, person="visitor:someone", **changes):
    """A logged prediction on a photo that is not kept on disk."""
    version = changes.pop("version", None) or make_version()
    other = "dog" if label == "cat" else "cat"
    answer = Answer(changes.pop("answer", label), {label: confidence, other: 1 - confidence})
    photo = changes.pop("photo", None) or decode_photo(photo_bytes())
    prediction = Prediction.objects.log(
        answer, photo, version=version.name, person=person, inference_ms=1.0, total_ms=2.0
    )
    if changes:
        Prediction.objects.filter(pk=prediction.pk).update(**changes)
        prediction.refresh_from_db()
    return prediction


def make_feedback(prediction=None, person=None, **said):
    prediction = prediction or make_prediction()
    said = said or {"correct": True}
    feedback, _ = give_feedback(prediction, person=person or prediction.person, **said)
    return feedback


def write_version(root, name="2026-01-01.1", model=b"not a network", **changes):
    """A version's folder on disk; its network is given as bytes."""
    return save_version(root, make_card(name, **changes), {"model.onnx": model})


class FakeEngine:
    """An engine that answers what it is told to and remembers what it was asked."""

    def __init__(self, card, logits=(4.0, 0.0)):
        self.card = card
        self.logits = logits
        self.asked = []
        self.failure = None

    def predict(self, pixels):
        self.asked.append(pixels)
        if self.failure:
            raise self.failure
        return answer_from(np.array(self.logits, np.float32), self.card)


def make_run(**changes):
    """A retraining, waiting unless told otherwise."""
    from feedback.models import TrainingRun

    return TrainingRun.objects.create(**{"asked_by": "ada", **changes})
