from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from classifier.models import Prediction
from feedback.models import Review
from monitoring import figures
from tests.make import make_feedback, make_prediction, make_version
from tests.photos import photo_bytes


@pytest.mark.django_db
def test_a_database_that_answers_is_up():
    found = figures.database()

    assert found.is_up
    assert found.milliseconds > 0


def test_a_database_that_is_away_is_down_and_no_error(monkeypatch):
    def refuse(*args, **kwargs):
        from django.db import OperationalError

        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", refuse)

    assert figures.database() == figures.Database(is_up=False, milliseconds=None)


@pytest.mark.django_db
def test_the_age_of_the_live_version():
    make_version(live=True)
    make_version("2026-02-02.2")
    now = timezone.now() + timedelta(days=3)

    found = figures.model_age(now)

    assert found.version == "2026-01-01.1"
    assert found.since_training == now - datetime(2026, 1, 1, tzinfo=UTC)
    assert timedelta(days=3) <= found.since_promotion < timedelta(days=3, minutes=1)


@pytest.mark.django_db
def test_no_live_version_has_no_age():
    assert figures.model_age() == figures.ModelAge(None, None, None)


def waiting(n):
    from ml.photos import decode_photo

    prediction = make_prediction(photo=decode_photo(photo_bytes(size=(64, 40 + n))))
    make_feedback(prediction, correct=True, consent=True)
    return prediction


@pytest.mark.django_db
def test_photos_wait_until_they_are_reviewed():
    first, second = waiting(1), waiting(2)
    make_feedback(first, person="user:9", correct=False)  # a photo counts once
    assert figures.review_backlog().photos == 2

    review = Review.objects.create(photo_sha256=first.photo_sha256, prediction=first)
    assert figures.review_backlog().photos == 2  # a claim is no decision

    review.decided_at = timezone.now()
    review.save()
    assert figures.review_backlog().photos == 1

    Prediction.objects.filter(pk=second.pk).update(photo_is_kept=False)
    assert figures.review_backlog().photos == 0


@pytest.mark.django_db
def test_without_consent_nothing_waits():
    make_feedback(make_prediction())

    assert figures.review_backlog().photos == 0
