"""What is learnt from: approved, allowed, there, and no more of one person than a day holds."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from classifier import storage
from classifier.models import Prediction
from feedback.examples import approved_examples
from feedback.models import Feedback
from tests.make import make_feedback, make_review, make_teaching, make_version


def approved(label="dog", reviewed="dog", **teaching):
    feedback = make_teaching(label, **teaching)
    make_review(feedback, reviewed)
    return feedback


def photos():
    return {example.sha256 for example in approved_examples()}


def in_order(feedback):
    """By identifier, which is the order of time up to a millisecond."""
    return sorted(feedback, key=lambda each: each.pk)


def sha256s(*feedback):
    return {each.prediction.photo_sha256 for each in feedback}


def test_the_reviewers_word_counts_not_the_persons(db):
    make_version(live=True)
    feedback = approved("dog", reviewed="neither")

    (example,) = approved_examples()

    assert (example.label, example.sha256) == ("neither", feedback.prediction.photo_sha256)
    assert example.path.read_bytes() == storage.read(example.sha256)


def test_without_a_live_version_there_is_nothing_to_learn(db):
    approved()

    assert approved_examples() == []


def test_what_is_not_approved_teaches_nothing(db):
    make_version(live=True)
    make_teaching(number=1)
    approved(reviewed="", number=2)
    make_review(claimed := make_teaching(number=3))
    claimed.prediction.review.decided_at = None
    claimed.prediction.review.save()

    assert approved_examples() == []


def test_what_is_taken_back_or_gone_teaches_nothing(db):
    make_version(live=True)
    taken_back, pruned, lost, stays = (approved(number=number) for number in range(4))

    make_feedback(taken_back.prediction, label="dog", consent=False)
    Prediction.objects.filter(pk=pruned.prediction_id).update(photo_is_kept=False)
    storage.path_of(lost.prediction.photo_sha256).unlink()

    assert photos() == sha256s(stays)


def test_a_photo_that_two_people_sent_counts_once_and_while_one_of_them_allows_it(db):
    make_version(live=True)
    first = approved(person="visitor:1")
    second = make_teaching(person="visitor:2")
    assert len(approved_examples()) == 1

    make_feedback(first.prediction, label="dog", consent=False)
    assert photos() == sha256s(second)

    make_feedback(second.prediction, label="dog", consent=False)
    assert photos() == set()


def test_labels_that_the_live_version_does_not_know_are_left_out(db):
    make_version(live=True)
    approved(number=1, reviewed="rabbit")
    known = approved(number=2, reviewed="cat")

    assert photos() == sha256s(known)


def test_the_order_is_the_photos_own(db):
    make_version(live=True)
    feedback = [approved(number=number) for number in range(5)]

    assert [example.sha256 for example in approved_examples()] == sorted(sha256s(*feedback))


def test_a_flood_from_one_person_never_displaces_what_they_said_first(db, settings):
    settings.FEEDBACK_PER_DAY = 3
    make_version(live=True)
    flood = in_order(approved(number=number, person="visitor:flood") for number in range(5))
    other = approved(number=9)

    assert photos() == sha256s(*flood[:3], other)

    settings.FEEDBACK_PER_DAY = 0
    assert photos() == set()


def test_a_change_of_mind_keeps_its_place_in_the_day(db, settings):
    settings.FEEDBACK_PER_DAY = 1
    make_version(live=True)
    first, _second = in_order(approved(number=number, person="visitor:me") for number in range(2))

    make_feedback(first.prediction, label="cat", consent=True)

    assert photos() == sha256s(first)


def test_each_day_counts_anew(db, settings):
    settings.FEEDBACK_PER_DAY = 1
    make_version(live=True)
    first, second = in_order(approved(number=number, person="visitor:me") for number in range(2))
    yesterday = first.created_at - timedelta(days=1)

    Feedback.objects.filter(pk=first.pk).update(created_at=yesterday)

    assert photos() == sha256s(first, second)


@pytest.mark.parametrize(("hours", "days"), [((10, 14), 1), ((23, 25), 2)])
def test_a_day_is_one_of_utc_wherever_the_site_is(db, settings, hours, days):
    settings.FEEDBACK_PER_DAY = 1
    midnight = datetime(2026, 1, 1, tzinfo=UTC)
    for hour in hours:
        feedback = make_teaching(number=hour, person="visitor:me")
        at = midnight + timedelta(hours=hour)
        Feedback.objects.filter(pk=feedback.pk).update(created_at=at)

    with timezone.override("Pacific/Auckland"):
        assert Feedback.objects.to_learn_from().within_daily_limit().count() == days


def test_what_is_asked_of_the_limit_later_does_not_move_it(db, settings):
    settings.FEEDBACK_PER_DAY = 1
    feedback = in_order(make_teaching(number=number, person="visitor:me") for number in range(2))

    within = Feedback.objects.to_learn_from().within_daily_limit()

    assert not within.filter(pk=feedback[1].pk).exists()


def test_the_number_of_queries_does_not_grow(db, django_assert_num_queries):
    make_version(live=True)
    for number in range(8):
        approved(number=number)

    with django_assert_num_queries(2):
        assert len(approved_examples()) == 8
