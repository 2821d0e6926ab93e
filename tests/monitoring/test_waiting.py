"""Photos that wait for a reviewer are counted right, whenever they were written down."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from classifier.classify import erase_prediction
from classifier.models import Prediction
from feedback.consent import consent_to_all, take_back_all
from feedback.models import Feedback, Review
from monitoring import figures, waiting
from monitoring.models import RollUp, TouchedPhoto, WaitingPhoto
from monitoring.rollup import roll_up
from tests.make import make_feedback, make_prediction, make_review, make_teaching

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_of_whom_one_is_decided():
    """Three photos with consent; the first is decided. Written down as they are."""
    taught = [make_teaching(number=number) for number in range(3)]
    make_review(taught[0])
    roll_up()
    assert not TouchedPhoto.objects.exists()
    assert WaitingPhoto.objects.count() == 2
    return taught


def another_with_consent(taught):
    make_teaching(number=9)


def a_second_answer_on_the_same_photo(taught):
    make_teaching(number=1, person="visitor:else")


def feedback_without_consent(taught):
    make_feedback(make_prediction(person="visitor:else"))


def consent_later(taught):
    prediction = make_prediction(person="visitor:later", photo_sha256="e" * 64)
    make_feedback(prediction)
    consent_to_all("visitor:later")


def consent_taken_back(taught):
    take_back_all(taught[1].person)


def said_again_without_consent(taught):
    make_feedback(taught[1].prediction, label="cat", consent=False)


def decided(taught):
    make_review(taught[1])


def claimed(taught):
    Review.objects.create(
        photo_sha256=taught[1].prediction.photo_sha256, prediction=taught[1].prediction
    )


def undone(taught):
    Review.objects.update(decided_at=None, label="")


def the_decision_erased(taught):
    Review.objects.all().delete()


def the_photo_lost(taught):
    Prediction.objects.filter(pk=taught[1].prediction_id).update(photo_is_kept=False)


def an_end_date(taught):
    Prediction.objects.filter(pk=taught[1].prediction_id).update(keep_until=timezone.now())


def erased(taught):
    erase_prediction(taught[1].prediction)


def feedback_erased(taught):
    Feedback.objects.filter(pk=taught[1].pk).delete()


@pytest.mark.parametrize(
    ("change", "photos"),
    [
        (another_with_consent, 3),
        (a_second_answer_on_the_same_photo, 2),
        (feedback_without_consent, 2),
        (consent_later, 3),
        (consent_taken_back, 1),
        (said_again_without_consent, 1),
        (decided, 1),
        (claimed, 2),
        (undone, 3),
        (the_decision_erased, 3),
        (the_photo_lost, 1),
        (an_end_date, 1),
        (erased, 1),
        (feedback_erased, 1),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_changes_counts_at_once_and_after_it_is_written_down(
    three_of_whom_one_is_decided, change, photos
):
    change(three_of_whom_one_is_decided)
    assert figures.review_backlog().photos == photos

    waiting.keep_up()

    assert figures.review_backlog().photos == photos
    assert WaitingPhoto.objects.count() == photos
    assert not TouchedPhoto.objects.exists()


def test_with_many_touched_all_are_counted_anew(three_of_whom_one_is_decided, monkeypatch):
    monkeypatch.setattr(waiting, "_FEW", 1)
    consent_taken_back(three_of_whom_one_is_decided)
    another_with_consent(three_of_whom_one_is_decided)
    WaitingPhoto.objects.all().delete()  # which then does not matter

    assert figures.review_backlog().photos == 2


def test_before_the_first_time_all_are_counted():
    RollUp.objects.update(waiting_is_known=False)
    WaitingPhoto.objects.all().delete()
    assert figures.review_backlog().photos == 2

    waiting.keep_up()

    assert WaitingPhoto.objects.count() == 2


def test_a_photo_waits_since_its_first_feedback(three_of_whom_one_is_decided):
    taught = three_of_whom_one_is_decided
    a_second_answer_on_the_same_photo(taught)
    waiting.keep_up()

    since = WaitingPhoto.objects.get(pk=taught[1].prediction.photo_sha256).since

    assert since == taught[1].created_at


def test_nothing_of_an_erased_photo_stays(three_of_whom_one_is_decided):
    sha256 = three_of_whom_one_is_decided[1].prediction.photo_sha256
    erased(three_of_whom_one_is_decided)

    waiting.keep_up()

    assert not WaitingPhoto.objects.filter(pk=sha256).exists()
    assert not TouchedPhoto.objects.filter(photo_sha256=sha256).exists()


def test_photos_whose_time_is_over_are_not_noted():
    prediction = make_prediction(keep_until=timezone.now())

    Prediction.objects.filter(pk=prediction.pk).update(photo_is_kept=False, keep_until=None)
    prediction.delete()

    assert not TouchedPhoto.objects.exists()


def test_the_predictions_are_not_read_to_count_what_was_written_down():
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert waiting.count() == 2

    asked = " ".join(query["sql"] for query in queries.captured_queries)
    assert "classifier_prediction" not in asked
