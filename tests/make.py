"""Rows and stand-ins for tests, everything defaulted."""

from datetime import UTC, datetime

import numpy as np
from django.contrib.auth.models import User
from django.utils import timezone

from classifier import storage
from classifier.models import ModelVersion, Prediction
from feedback.giving import give_feedback
from feedback.models import Review
from ml.inference import Answer, answer_from
from ml.photos import PREPROCESSING, decode_photo
from ml.registry import Card, load_card, save_version
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
    prediction = Prediction.of(
        answer, photo, version=version, person=person, inference_ms=1.0, total_ms=2.0
    )
    prediction.save(force_insert=True)
    if changes:
        Prediction.objects.filter(pk=prediction.pk).update(**changes)
        prediction.refresh_from_db()
    return prediction


def make_feedback(prediction=None, person=None, **said):
    prediction = prediction or make_prediction()
    said = said or {"correct": True}
    feedback, _ = give_feedback(prediction, person=person or prediction.person, **said)
    return feedback


def make_teaching(label="dog", number=0, person=None, **changes):
    """Consented feedback on a photo that is kept on disk: each number is a photo of its own."""
    photo = decode_photo(photo_bytes(format="PNG", colour=(number % 250, number // 250, 7)))
    storage.keep(photo)
    prediction = make_prediction(photo=photo, person=person or f"visitor:{number}", **changes)
    return make_feedback(prediction, label=label, consent=True)


def make_review(feedback, label="dog", reviewer=None):
    """A decision on the photo that this feedback is about."""
    return Review.objects.create(
        photo_sha256=feedback.prediction.photo_sha256,
        prediction=feedback.prediction,
        reviewer=reviewer,
        decided_at=timezone.now(),
        label=label,
    )


def make_staff(name="reviewer"):
    return User.objects.create_user(name, is_staff=True)


def write_version(root, name="2026-01-01.1", model=b"not a network", **changes):
    """A version's folder on disk; its network is given as bytes."""
    return save_version(root, make_card(name, **changes), {"model.onnx": model})


def make_saved_version(root, name="2026-01-01.1", live=False, **changes):
    """A version on disk and in the database."""
    model = changes.pop("model", b"not a network")
    version = ModelVersion.objects.register(load_card(write_version(root, name, model, **changes)))
    if live:
        version.promote()
    return version


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
