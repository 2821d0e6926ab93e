"""Which photo comes next, whose it is meanwhile, and what becomes of a decision."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from classifier import storage
from classifier.classify import erase_prediction
from feedback.models import Feedback, Review
from feedback.review import (
    ReviewError,
    UnknownLabel,
    claim_next,
    decide,
    left_to,
    release,
    undo,
)
from tests.make import make_feedback, make_prediction, make_staff, make_teaching, make_version


@pytest.fixture
def live(db):
    return make_version(live=True)


@pytest.fixture
def reviewer(live):
    return make_staff()


@pytest.fixture
def colleague(live):
    return make_staff("colleague")


def next_for(reviewer, skipped=()):
    claim = claim_next(reviewer, skipped)
    return claim and claim.prediction


def expire(review):
    Review.objects.filter(pk=review.pk).update(claimed_at=timezone.now() - timedelta(minutes=6))


def walk(reviewer):
    """The photos in the order in which this reviewer gets them."""
    seen = []
    while prediction := next_for(reviewer):
        seen.append(prediction)
        decide(prediction, reviewer, "dog")
    return seen


def test_the_most_useful_comes_first(reviewer):
    agreed = {"label": "cat"}
    sure = make_teaching(**agreed, number=1, confidence=0.99)
    less_sure = make_teaching(**agreed, number=2, confidence=0.9)
    novel = make_teaching(**agreed, number=3, novelty=0.4)
    neither = make_teaching("neither", number=4, answer="neither", confidence=0.8)
    unsure = make_teaching(**agreed, number=5, answer="unsure", confidence=0.6)
    contradicted = make_teaching("dog", number=6)
    disputed = make_teaching("dog", number=7, confidence=0.99)
    make_feedback(disputed.prediction, person="user:1", correct=True)

    order = [disputed, contradicted, unsure, neither, novel, less_sure, sure]
    assert walk(reviewer) == [each.prediction for each in order]


def test_people_who_disagree_outweigh_what_we_were_unsure_of(reviewer):
    unsure = make_teaching("cat", number=1, answer="unsure", confidence=0.5)
    disputed = make_teaching("cat", number=2, confidence=0.99)
    # The same photo, answered otherwise and found right: nobody contradicts us.
    same = make_prediction("dog", photo_sha256=disputed.prediction.photo_sha256)
    make_feedback(same, correct=True)

    assert walk(reviewer) == [disputed.prediction, unsure.prediction]


def test_ties_go_to_the_oldest(reviewer):
    feedback = [make_teaching(number=number) for number in range(4)]

    assert walk(reviewer) == sorted((each.prediction for each in feedback), key=lambda p: p.pk)


def test_a_photo_that_two_people_sent_comes_once(reviewer):
    for number in range(2):
        make_teaching(person=f"visitor:{number}")

    assert left_to(reviewer) == 1
    assert len(walk(reviewer)) == 1


def test_what_may_not_be_learnt_from_does_not_come(reviewer, settings):
    settings.FEEDBACK_PER_DAY = 2
    make_feedback(make_prediction(), label="dog", consent=False)
    flood = [make_teaching(number=number, person="visitor:flood") for number in range(4)]

    seen = walk(reviewer)

    assert {p.pk for p in seen} == set(sorted(each.prediction_id for each in flood)[:2])


def test_a_photo_whose_file_is_lost_is_passed_over(reviewer):
    lost, there = make_teaching("dog", number=1), make_teaching("cat", number=2)
    storage.path_of(lost.prediction.photo_sha256).unlink()

    assert next_for(reviewer) == there.prediction


def test_an_empty_queue_has_nothing(reviewer):
    assert claim_next(reviewer) is None
    assert left_to(reviewer) == 0


def test_a_reviewer_holds_on_to_their_photo(reviewer):
    make_teaching("cat", number=1)
    held = claim_next(reviewer)
    expire(held)
    make_teaching("dog", number=2)

    assert claim_next(reviewer) == held
    assert timezone.now() - claim_next(reviewer).claimed_at > timedelta(0)
    assert Review.objects.get().claimed_at > timezone.now() - timedelta(minutes=1)


def test_a_photo_being_looked_at_is_nobody_elses(reviewer, colleague):
    make_teaching(number=1)
    make_teaching(number=2)

    assert next_for(reviewer) != next_for(colleague)
    assert next_for(make_staff("third")) is None
    assert left_to(reviewer) == 1


def test_after_five_minutes_another_may_take_it(reviewer, colleague):
    feedback = make_teaching()
    expire(claim_next(reviewer))

    assert next_for(colleague) == feedback.prediction
    with pytest.raises(ReviewError, match="Someone else has taken that photo"):
        decide(feedback.prediction, reviewer, "dog")
    assert Review.objects.get().reviewer == colleague
    assert Review.objects.get().decided_at is None


def test_an_expired_claim_that_nobody_took_can_still_be_decided(reviewer):
    feedback = make_teaching()
    expire(claim_next(reviewer))

    decide(feedback.prediction, reviewer, "dog")

    assert Review.objects.approved().get().reviewer == reviewer


def test_the_claim_of_a_deleted_reviewer_is_free(reviewer, colleague):
    feedback = make_teaching()
    claim_next(reviewer)
    reviewer.delete()

    assert next_for(colleague) == feedback.prediction


def test_a_decision_twice_is_one(reviewer):
    feedback = make_teaching()

    assert decide(feedback.prediction, reviewer, "dog") == "dog"
    assert decide(feedback.prediction, reviewer, "cat") == "dog"

    assert Review.objects.get().label == "dog"


def test_another_reviewers_decision_stands(reviewer, colleague):
    feedback = make_teaching()
    decide(feedback.prediction, colleague, "dog")

    with pytest.raises(ReviewError):
        decide(feedback.prediction, reviewer, "cat")

    assert (Review.objects.get().label, Review.objects.get().reviewer) == ("dog", colleague)


@pytest.mark.parametrize("label", ["fish", "DOG", " dog", "\x00", "x" * 1000])
def test_a_label_that_is_no_choice_is_refused(reviewer, label):
    feedback = make_teaching()

    with pytest.raises(UnknownLabel, match="cat, dog, neither"):
        decide(feedback.prediction, reviewer, label)

    assert not Review.objects.decided().exists()


def test_a_photo_taken_back_meanwhile_cannot_be_decided(reviewer):
    feedback = make_teaching()
    claim_next(reviewer)
    make_feedback(feedback.prediction, label="dog", consent=False)

    with pytest.raises(ReviewError, match="may no longer be learnt from"):
        decide(feedback.prediction, reviewer, "dog")

    assert claim_next(reviewer) is None


def test_an_erased_photo_takes_its_review_along(reviewer):
    feedback = make_teaching()
    claim_next(reviewer)

    erase_prediction(feedback.prediction)

    assert claim_next(reviewer) is None
    assert not Review.objects.exists()


def test_skipped_photos_come_back_after_all_others_in_their_order(reviewer):
    first, second, third = (make_teaching(number=number).prediction for number in range(3))
    skipped = [first.photo_sha256, second.photo_sha256]

    assert next_for(reviewer, skipped) == third
    decide(third, reviewer, "dog")
    assert next_for(reviewer, skipped) == first
    release(first, reviewer)
    assert next_for(reviewer, skipped[::-1]) == second


def test_a_released_photo_is_free_at_once(reviewer, colleague):
    feedback = make_teaching()
    claim_next(reviewer)

    release(feedback.prediction, colleague)
    assert next_for(colleague) is None
    release(feedback.prediction, reviewer)
    assert next_for(colleague) == feedback.prediction


def test_decisions_are_undone_one_by_one_the_last_first(reviewer):
    for number in range(2):
        make_teaching(number=number)
    seen = walk(reviewer)

    assert undo(reviewer).prediction == seen[1]
    assert next_for(reviewer) == seen[1]
    assert undo(reviewer).prediction == seen[0]
    assert next_for(reviewer) == seen[0]
    assert undo(reviewer) is None
    assert not Review.objects.decided().exists()


def test_nobody_undoes_what_another_decided(reviewer, colleague):
    decide(make_teaching().prediction, colleague, "dog")

    assert undo(reviewer) is None
    assert Review.objects.decided().count() == 1


def test_what_was_undone_can_be_decided_otherwise(reviewer):
    feedback = make_teaching()
    decide(feedback.prediction, reviewer, "dog")

    undo(reviewer)
    decide(feedback.prediction, reviewer, "cat")

    assert Review.objects.get().label == "cat"


def at_once(work, arguments):
    """What `work` returned, or refused with, for each argument, all started at the same moment."""
    results = {}
    gate = threading.Barrier(len(arguments))

    def run(argument):
        try:
            gate.wait()
            results[argument] = work(argument)
        except ReviewError as error:
            results[argument] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_reviewers_at_once_never_get_the_same_photo():
    make_version(live=True)
    reviewers = [make_staff(f"reviewer {number}") for number in range(6)]
    for number in range(5):
        make_teaching(number=number)

    claims = at_once(claim_next, reviewers)

    got = [claim.photo_sha256 for claim in claims.values() if claim]
    assert len(got) == len(set(got)) == 5
    assert {review.reviewer for review in Review.objects.all()} <= set(reviewers)


@pytest.mark.django_db(transaction=True)
def test_of_those_who_reach_for_an_expired_claim_one_gets_it():
    make_version(live=True)
    feedback = make_teaching()
    expire(claim_next(make_staff("gone")))
    reviewers = [make_staff(f"reviewer {number}") for number in range(4)]

    claims = at_once(claim_next, reviewers)

    holders = [reviewer for reviewer, claim in claims.items() if claim]
    assert len(holders) == 1
    assert Review.objects.get().reviewer == holders[0]
    assert Review.objects.get().prediction == feedback.prediction


@pytest.mark.django_db(transaction=True)
def test_of_two_decisions_at_once_one_is_kept():
    make_version(live=True)
    prediction = make_teaching().prediction
    reviewers = [make_staff(name) for name in ("cat", "dog", "neither")]

    outcomes = at_once(lambda reviewer: decide(prediction, reviewer, reviewer.username), reviewers)

    kept = [label for label in outcomes.values() if isinstance(label, str)]
    assert kept == [Review.objects.get().label]
    refused = [type(error) for error in outcomes.values() if not isinstance(error, str)]
    assert refused == [ReviewError] * 2


def test_the_number_of_queries_does_not_grow(reviewer, django_assert_max_num_queries):
    for number in range(12):
        make_teaching(number=number)

    with django_assert_max_num_queries(6):  # two of them a savepoint's
        claim_next(reviewer)
    assert Feedback.objects.count() == 12
