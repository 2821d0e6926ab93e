"""The whole way with real photos: what is shipped answers as it was measured, not by chance."""

import hashlib
import itertools

import pytest
from django.core.management import call_command

from classifier import serving
from classifier.models import Prediction
from ml.examples import split_of
from tests.photos import photo_upload

# By the card 97.9 % of the holdout get the right answer: fewer than 44 of 50 would be bad luck once
# in 12,000 draws (binomial), and the photos are the same ones each time.
EACH, ENOUGH = 25, 44

pytestmark = pytest.mark.needs_data


def unseen(folder):
    """The first photos of a label that the shipped version was not trained on."""
    photos = (path.read_bytes() for path in sorted(folder.iterdir()))
    holdout = (d for d in photos if split_of(hashlib.sha256(d).hexdigest()) == "holdout")
    return list(itertools.islice(holdout, EACH))


def test_the_shipped_version_is_right_about_photos_it_never_saw(client, db, settings, monkeypatch):
    monkeypatch.setattr(serving, "_live", serving.LiveEngine())
    call_command("register_models")

    right = 0
    for label in ("cat", "dog"):
        for photo in unseen(settings.DATA_DIR / label):
            answer = client.post("/api/predict", {"image": photo_upload(photo)}).json()["answer"]
            right += answer == label

    assert Prediction.objects.count() == 2 * EACH
    assert right >= ENOUGH
