"""Many decisions at once, in the admin; who decided what; consent as it stands."""

import pytest
from django.urls import reverse

from feedback.consent import remember
from feedback.models import Consent, Feedback, Review
from tests.make import make_feedback, make_prediction, make_review, make_teaching, make_version

LIST = "/admin/feedback/feedback/"


@pytest.fixture
def staff(admin_client):
    make_version(live=True)
    return admin_client


def act(client, action, *chosen):
    said = {"action": action, "_selected_action": [str(each.pk) for each in chosen]}
    return client.post(LIST, said, follow=True).text


def test_approving_records_the_label_and_who_approved(staff, admin_user):
    dog, neither = make_teaching("dog", number=1), make_teaching("neither", number=2)

    page = act(staff, "approve", dog, neither)

    assert "2 approved" in page
    assert {review.label for review in Review.objects.approved()} == {"dog", "neither"}
    assert {review.reviewer for review in Review.objects.all()} == {admin_user}


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("wrong alone", "without a label"),
        ("no consent", "whose photo may not be learnt from"),
        ("another label", "with a label that the live version does not have"),
        ("decided", "decided already"),
        ("flood", "beyond what one person can teach"),
    ],
)
def test_what_cannot_be_approved_is_passed_over_and_the_reason_said(staff, settings, case, reason):
    feedback = make_teaching()
    match case:
        case "wrong alone":
            make_feedback(feedback.prediction, correct=False, consent=True)
        case "no consent":
            make_feedback(feedback.prediction, label="dog", consent=False)
        case "another label":
            Feedback.objects.update(label="rabbit")
        case "decided":
            make_review(feedback, "cat")
        case "flood":
            settings.FEEDBACK_PER_DAY = 0

    page = act(staff, "approve", feedback)

    assert "0 approved" in page
    assert f"1 passed over: {reason}" in page
    assert not Review.objects.approved().filter(label="dog").exists()


def test_people_who_differ_on_a_photo_are_not_both_right(staff):
    feedback = make_teaching("dog")
    other = make_feedback(feedback.prediction, person="user:1", label="cat")

    page = act(staff, "approve", feedback, other)

    assert "0 approved" in page
    assert "2 passed over: on a photo of which others chosen here say something else" in page


def test_people_who_agree_on_a_photo_approve_it_once(staff):
    feedback = make_teaching("dog")
    other = make_feedback(feedback.prediction, person="user:1", label="dog")

    assert "1 approved" in act(staff, "approve", feedback, other)


def test_leaving_out_goes_before_an_earlier_decision(staff, admin_user):
    feedback = make_teaching()
    make_review(feedback, "dog")

    page = act(staff, "leave_out", feedback)

    assert "1 left out" in page
    assert (Review.objects.get().label, Review.objects.get().reviewer) == ("", admin_user)


def test_a_decision_can_be_put_back_into_the_queue(staff):
    review = make_review(make_teaching())

    staff.post(
        "/admin/feedback/review/", {"action": "put_back", "_selected_action": [str(review.pk)]}
    )

    assert not Review.objects.exists()


@pytest.mark.parametrize("model", ["feedback", "review", "consent"])
def test_each_list_and_each_page_opens_and_changes_nothing(staff, admin_user, model):
    review = make_review(make_teaching(), reviewer=admin_user)
    remember("visitor:me", True)
    row = {"review": review, "consent": Consent.objects.get(), "feedback": Feedback.objects.get()}
    page = reverse(f"admin:feedback_{model}_change", args=[row[model].pk])

    assert staff.get(f"/admin/feedback/{model}/").status_code == 200
    assert staff.get(page).status_code == 200
    assert staff.post(page, {"may_learn": ""}).status_code == 403


@pytest.mark.parametrize("model", ["feedback", "review"])
def test_the_lists_show_photos_and_who_decided(staff, admin_user, model):
    review = make_review(make_teaching(), reviewer=admin_user)

    page = staff.get(f"/admin/feedback/{model}/").text

    assert reverse("photo", args=[review.prediction_id]) in page
    assert "dog" in page


@pytest.mark.parametrize("model", ["feedback", "review"])
def test_a_long_list_takes_no_more_queries(staff, model, django_assert_max_num_queries):
    for number in range(15):
        make_review(make_teaching(number=number))

    with django_assert_max_num_queries(10):
        staff.get(f"/admin/feedback/{model}/")


def test_deleted_feedback_takes_its_consent_along(staff):
    feedback = make_teaching()

    staff.post(
        LIST, {"action": "delete_selected", "_selected_action": [str(feedback.pk)], "post": "yes"}
    )

    assert not Feedback.objects.exists()
    feedback.prediction.refresh_from_db()
    assert feedback.prediction.keep_until is not None


def test_one_deleted_from_its_page_too(staff):
    feedback = make_teaching()

    staff.post(reverse("admin:feedback_feedback_delete", args=[feedback.pk]), {"post": "yes"})

    feedback.prediction.refresh_from_db()
    assert feedback.prediction.keep_until is not None
    assert not make_prediction().feedback.exists()
