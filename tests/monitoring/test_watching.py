"""The database notes which past hours change, whoever changes them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from classifier.ids import uuid7
from classifier.models import Prediction
from feedback.models import Feedback
from monitoring import watching
from monitoring.models import TouchedHour
from tests.make import make_feedback, make_prediction

pytestmark = pytest.mark.django_db

PAST = datetime(2025, 3, 1, 10, 20, 30, 123, tzinfo=UTC)
ITS_HOUR = datetime(2025, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def past():
    prediction = make_prediction(created_at=PAST)
    TouchedHour.objects.all().delete()
    return prediction


def touched():
    return set(TouchedHour.objects.values_list("hour", flat=True))


def test_a_prediction_of_now_is_not_noted():
    make_prediction()

    assert touched() == set()


def test_a_prediction_that_comes_late_is_noted(monkeypatch):
    prediction = make_prediction()
    prediction.pk, prediction.created_at = uuid7(), PAST
    monkeypatch.setattr(Prediction._meta.get_field("created_at"), "auto_now_add", False)

    Prediction.objects.bulk_create([prediction])

    assert touched() == {ITS_HOUR}


def test_a_prediction_that_moves_is_noted_in_both_hours(past):
    Prediction.objects.update(created_at=PAST - timedelta(hours=3))

    assert touched() == {ITS_HOUR, ITS_HOUR - timedelta(hours=3)}


def test_an_erased_prediction_is_noted(past):
    Prediction.objects.all().delete()

    assert touched() == {ITS_HOUR}


@pytest.mark.parametrize(
    "change",
    [
        lambda prediction: make_feedback(prediction, person="user:1"),
        lambda prediction: Feedback.objects.update(agrees=False),
        lambda prediction: Feedback.objects.all().delete(),
    ],
    ids=["given", "changed", "taken back"],
)
def test_feedback_is_noted_in_the_hour_of_its_prediction(past, change):
    make_feedback(past)
    TouchedHour.objects.all().delete()

    change(past)

    assert touched() == {ITS_HOUR}


def test_what_no_sum_is_made_of_is_not_noted(past):
    past.keep_until = timezone.now()
    past.save(update_fields=["keep_until"])
    Prediction.objects.update(photo_is_kept=False)

    assert touched() == set()


def test_lost_triggers_come_back_after_a_migration(past):
    watching.remove(connection)
    Prediction.objects.update(answer="dog")
    assert touched() == set()

    watching.install("default")
    watching.install("default")
    Prediction.objects.update(answer="cat")

    assert touched() == {ITS_HOUR}
    assert TouchedHour.objects.count() == 2  # of the one row: as it was, as it is
