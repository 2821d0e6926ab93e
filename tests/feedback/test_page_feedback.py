import pytest

from classifier.models import Prediction
from feedback.models import Feedback
from tests.make import make_prediction
from tests.photos import photo_upload

HTMX = {"HX-Request": "true"}


@pytest.fixture
def own(client, engine):
    """A prediction ("cat") of the page's visitor."""
    client.post("/classify/", {"photo": photo_upload()})
    return Prediction.objects.get()


def test_a_click_on_right_gets_a_thank_you_in_its_place(client, own):
    response = client.post(f"/feedback/{own.pk}/", {"correct": "true"}, headers=HTMX)

    assert response.status_code == 200
    assert response.text.lstrip().startswith(f'<div id="feedback-{own.pk}"')
    assert "Thank you" in response.text
    assert Feedback.objects.get().agrees


def test_wrong_says_which(client, own):
    client.post(f"/feedback/{own.pk}/", {"label": "dog"}, headers=HTMX)

    kept = Feedback.objects.get()
    assert (kept.label, kept.agrees, kept.person) == ("dog", False, own.person)


def test_without_javascript_it_leads_back_to_the_answer(client, own):
    response = client.post(f"/feedback/{own.pk}/", {"label": "dog"}, follow=True)

    assert response.redirect_chain == [(f"/predictions/{own.pk}/", 303)]
    assert "Thank you" in response.text


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
@pytest.mark.parametrize("said", [{}, {"label": "fish"}, {"comment": "x" * 1001}], ids=str)
def test_nonsense_is_refused_and_nothing_is_kept(client, own, said, headers):
    response = client.post(f"/feedback/{own.pk}/", said, headers=headers)

    assert response.status_code == 422
    assert not Feedback.objects.exists()


def test_another_visitors_prediction_is_not_there(client, engine):
    theirs = make_prediction(person="visitor:other")

    assert client.post(f"/feedback/{theirs.pk}/", {"correct": "true"}).status_code == 404


def test_get_gives_nothing(client, own):
    assert client.get(f"/feedback/{own.pk}/").status_code == 405
