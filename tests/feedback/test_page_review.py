"""The review page: one photo after another, whole pages and fragments alike."""

import re
import uuid

import pytest
from django.urls import reverse

from classifier.classify import erase_prediction
from classifier.models import Prediction
from feedback.models import Review
from feedback.views.reviewing import keys_for
from tests.make import make_feedback, make_prediction, make_staff, make_teaching, make_version

HTMX = {"HX-Request": "true"}


@pytest.fixture
def staff(client, db):
    make_version(live=True)
    client.force_login(make_staff())
    return client


def address(prediction, skip=False):
    return reverse("skip_review" if skip else "decide_review", args=[prediction.pk])


def shown(response):
    """The prediction whose photo the answer shows."""
    found = re.search(r'src="/photos/([0-9a-f-]{36})/"', response.text)
    return found and Prediction.objects.get(pk=found[1])


def test_it_shows_the_photo_what_was_said_and_what_we_said(staff):
    feedback = make_teaching("dog", confidence=0.9)
    make_feedback(feedback.prediction, person="user:9", label="neither", comment="<b>a fox</b>")

    page = staff.get("/review")

    assert shown(page) == feedback.prediction
    assert "&lt;b&gt;a fox&lt;/b&gt;" in page.text
    assert "<b>a fox" not in page.text
    assert "We said: cat" in page.text
    assert "90\N{NO-BREAK SPACE}%" in page.text
    assert "1 left" in page.text
    assert "visitor:" not in page.text


def test_an_empty_queue_says_so(staff):
    page = staff.get("/review")

    assert page.status_code == 200
    assert "Nothing to review" in page.text


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
def test_a_decision_leads_to_the_next_photo(staff, headers):
    for number in range(2):
        make_teaching(number=number)
    first = shown(staff.get("/review"))

    answer = staff.post(address(first), {"label": "dog"}, headers=headers, follow=True)

    review = Review.objects.approved().get()
    assert (review.prediction, review.label, review.reviewer.username) == (first, "dog", "reviewer")
    assert "Noted: dog." in answer.text
    assert shown(answer) not in (None, first)
    assert "1 left" in answer.text
    assert answer.text.lstrip().startswith("<section" if headers else "<!doctype")


def test_leaving_out_is_a_decision_too(staff):
    feedback = make_teaching()

    answer = staff.post(address(feedback.prediction), {"label": ""}, follow=True)

    assert "Left out." in answer.text
    assert not Review.objects.approved().exists()
    assert Review.objects.decided().count() == 1


@pytest.mark.parametrize("said", [{"label": "fish"}, {"label": "\x00"}, {}], ids=str)
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
def test_what_is_no_choice_is_refused_and_the_photo_stays(staff, said, headers):
    feedback = make_teaching()

    answer = staff.post(address(feedback.prediction), said, headers=headers)

    assert answer.status_code == 422
    assert shown(answer) == feedback.prediction
    assert 'role="alert"' in answer.text
    assert not Review.objects.decided().exists()


def test_a_double_click_is_harmless(staff):
    feedback = make_teaching(number=1)

    for _ in range(2):
        answer = staff.post(address(feedback.prediction), {"label": "dog"}, headers=HTMX)

    assert (answer.status_code, Review.objects.get().label) == (200, "dog")
    assert "Noted: dog." in answer.text


def test_a_photo_that_another_took_is_refused_kindly(staff, client_factory):
    for number in range(2):
        make_teaching(number=number)
    colleague = client_factory()
    colleague.force_login(make_staff("colleague"))
    theirs = shown(colleague.get("/review"))

    answer = staff.post(address(theirs), {"label": "dog"}, headers=HTMX)

    assert answer.status_code == 200
    assert "Someone else has taken that photo" in answer.text
    assert shown(answer) not in (None, theirs)
    assert not Review.objects.decided().exists()


def test_a_photo_erased_meanwhile_goes_on_with_a_notice(staff):
    erased, next_one = make_teaching(number=1).prediction, make_teaching(number=2).prediction
    url = address(erased)
    erase_prediction(erased)

    answer = staff.post(url, {"label": "dog"}, headers=HTMX)

    assert "has been erased meanwhile" in answer.text
    assert shown(answer) == next_one


def test_skipped_photos_come_back_last(staff):
    for number in range(2):
        make_teaching(number=number)
    first = shown(staff.get("/review"))

    second = shown(staff.post(address(first, skip=True), headers=HTMX))
    assert second != first
    assert shown(staff.post(address(second, skip=True), headers=HTMX)) == first
    assert shown(staff.post(address(first, skip=True), follow=True)) == second


def test_skipping_what_is_gone_is_harmless(staff):
    url = reverse("skip_review", args=[uuid.uuid4()])

    assert staff.post(url, headers=HTMX).status_code == 200


def test_undo_shows_the_last_photo_again(staff):
    for number in range(2):
        make_teaching(number=number)
    first = shown(staff.get("/review"))
    answer = staff.post(address(first), {"label": "dog"}, headers=HTMX)
    assert "Undo “dog”" in answer.text

    answer = staff.post(reverse("undo_review"), headers=HTMX)

    assert "Undone" in answer.text
    assert shown(answer) == first
    assert not Review.objects.decided().exists()


def test_undo_with_nothing_to_undo_says_so(staff):
    answer = staff.post(reverse("undo_review"), follow=True)

    assert "nothing to undo" in answer.text


@pytest.mark.parametrize("is_logged_in", [False, True])
def test_others_are_sent_to_log_in(client, django_user_model, is_logged_in):
    prediction = make_teaching().prediction
    if is_logged_in:
        client.force_login(django_user_model.objects.create_user("nobody"))

    assert client.get("/review").url == "/admin/login/?next=/review"
    for answer in (
        client.post(address(prediction), {"label": "dog"}),
        client.post(address(prediction, skip=True)),
        client.post(reverse("undo_review")),
    ):
        assert (answer.status_code, answer.url) == (302, "/admin/login/?next=/")
    here = {**HTMX, "HX-Current-URL": "http://testserver/review"}
    inside = client.post(address(prediction), {"label": "dog"}, headers=here)
    assert inside.headers["HX-Redirect"] == "/admin/login/?next=/review"
    assert not Review.objects.exists()


def test_getting_decides_nothing(staff):
    prediction = make_teaching().prediction

    assert staff.get(address(prediction)).status_code == 405
    assert staff.get(reverse("undo_review")).status_code == 405
    assert staff.post("/review").status_code == 405


def test_three_labels_have_buttons_and_keys(staff):
    make_version("2", live=True, labels=("cat", "dog", "rabbit"))
    make_feedback(make_prediction())
    make_teaching()

    page = staff.get("/review").text

    keys = re.findall(r'value="([a-z]*)" data-key="(.)"', page)
    assert keys == [("cat", "c"), ("dog", "d"), ("rabbit", "r"), ("neither", "n"), ("", "x")]


@pytest.mark.parametrize(
    ("labels", "keys"),
    [
        (["cat", "dog", "neither"], "cdn"),
        (["cat", "cow", "neither"], "12n"),
        (["snake", "unicorn", "xolo", "Dog"], "123d"),
        (["Élan", "犬", "猫"], "123"),
        (["nandu", "neither"], "12"),
        (["1", "", "dog"], "12d"),
    ],
)
def test_a_key_is_the_first_letter_where_it_is_free_and_unique(labels, keys):
    assert keys_for(labels) == list(zip(labels, keys, strict=True))


def test_the_tenth_label_without_a_letter_has_no_key():
    assert keys_for(["a"] * 10)[9] == ("a", "")


def test_only_staff_see_the_way_there(staff, client_factory):
    assert 'href="/review"' in staff.get("/").text
    assert 'href="/review"' not in client_factory().get("/").text
