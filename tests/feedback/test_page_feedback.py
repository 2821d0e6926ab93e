import pytest

from classifier.models import Prediction
from feedback.models import Feedback
from tests.make import make_feedback, make_prediction
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


def undo(client, prediction, **before):
    return client.post(f"/feedback/{prediction.pk}/undo/", before, headers=HTMX)


def test_a_thank_you_offers_to_undo_and_a_question_comes_back(client, own):
    thanks = client.post(f"/feedback/{own.pk}/", {"correct": "true"}, headers=HTMX).text
    assert f'action="/feedback/{own.pk}/undo/"' in thanks

    response = undo(client, own)

    assert "Was I right?" in response.text
    assert not Feedback.objects.exists()


def test_undoing_twice_is_undoing_once(client, own):
    client.post(f"/feedback/{own.pk}/", {"correct": "true"}, headers=HTMX)

    assert [undo(client, own).status_code for _ in range(2)] == [200, 200]


def test_undoing_a_change_brings_back_what_was_said_before_it(client, own):
    url = f"/feedback/{own.pk}/"
    client.post(url, {"label": "dog", "comment": "<b>", "consent": "true"}, headers=HTMX)
    thanks = client.post(url, {"label": "cat"}, headers=HTMX).text
    undo_form = thanks[thanks.index("/undo/") : thanks.index("Undo")]
    for field in ('name="label" value="dog"', 'name="comment" value="&lt;b&gt;"'):
        assert field in undo_form
    assert 'name="consent" value="true"' in undo_form

    response = undo(client, own, label="dog", comment="<b>", consent="true")

    assert "Undo" not in response.text
    kept = Feedback.objects.get()
    assert (kept.label, kept.comment, kept.consent) == ("dog", "<b>", True)


def test_what_is_undone_may_be_learnt_from_no_longer(client, own):
    said = {"correct": "true", "consent": "true"}
    client.post(f"/feedback/{own.pk}/", said, headers=HTMX)
    own.refresh_from_db()
    assert own.keep_until is None

    undo(client, own)

    own.refresh_from_db()
    assert own.keep_until is not None


def test_nobody_undoes_what_another_said(client, engine):
    theirs = make_prediction(person="visitor:other")
    make_feedback(theirs)

    assert undo(client, theirs).status_code == 404
    assert Feedback.objects.count() == 1
