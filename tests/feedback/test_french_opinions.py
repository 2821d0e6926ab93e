"""What people read in French of their own photos and opinions, and reviewers of them."""

import re

import pytest
from django.conf import settings as site_settings

from classifier.models import Prediction
from tests.french import HARD, THIN, said
from tests.make import (
    make_feedback,
    make_prediction,
    make_teaching,
)
from tests.photos import photo_upload

HTMX = {"HX-Request": "true"}


@pytest.fixture
def own(french_visitor, engine):
    """A prediction ("cat") of the page's french_visitor."""
    french_visitor.post("/classify/", {"photo": photo_upload()})
    return Prediction.objects.get()


def test_an_answer_is_asked_about_in_french(french_visitor, own):
    page = french_visitor.get(f"/predictions/{own.pk}/").text

    for words in ("Ai-je vu juste\u202f?", ">Oui<", "Qu’est-ce que c’est\u202f?", ">Chien<"):
        assert words in page
    assert "Ni l’un ni l’autre" in page
    assert 'name="label" value="dog"' in page  # what is sent stays what it is


def test_thanks_and_the_question_for_consent_are_french(french_visitor, own):
    page = said(french_visitor.post(f"/feedback/{own.pk}/", {"label": "dog"}, headers=HTMX))

    for words in ("Merci\u202f!", "Vous avez dit", "chien", "Puis-je apprendre", "Non merci"):
        assert words in page


@pytest.mark.parametrize(("days", "words"), [(1, "d’ici 1 jour."), (30, "d’ici 30 jours.")])
def test_the_days_until_a_photo_is_forgotten_are_counted(
    french_visitor, own, settings, days, words
):
    settings.PHOTO_KEEP_DAYS = days
    french_visitor.post(f"/feedback/{own.pk}/consent/", {"may_learn": "no"})
    make_feedback(own)

    page = french_visitor.post(f"/feedback/{own.pk}/consent/", {"may_learn": "no"}, headers=HTMX)

    assert words in said(page)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Envoyez soit « label », soit « correct »."),
        ({"label": "fish"}, "'fish' n’est pas une étiquette de cette prédiction"),
        ({"comment": "x" * 1001}, "au plus 1000 caractères"),
    ],
    ids=["nothing", "a fish", "a novel"],
)
def test_what_cannot_be_kept_is_refused_in_french(french_visitor, own, sent, words):
    response = french_visitor.post(f"/feedback/{own.pk}/", sent, headers=HTMX)

    page = said(response, status=422).replace("&#x27;", "'").replace(THIN, " ").replace(HARD, " ")
    assert words in page


def test_the_api_refuses_in_french_with_the_same_code(french_visitor, own):
    sent = {"prediction": str(own.pk), "label": "fish"}

    response = french_visitor.post("/api/feedback", sent, content_type="application/json")

    found = response.json()
    assert (response.status_code, found["code"], found["field"]) == (400, "unknown_label", "label")
    assert "n’est pas une étiquette de cette prédiction" in found["detail"]


def test_the_api_says_in_english_what_nobody_asked_for_in_french(client, engine):
    sent = {"prediction": "0199f3c2-6c1e-7cc3-b7b1-0f4c5d2f7a10", "correct": True}

    found = client.post("/api/feedback", sent, content_type="application/json").json()

    assert found["detail"] == "There is no such prediction, or it is not yours."


def test_a_photo_is_reviewed_in_french(french_staff, engine):
    feedback = make_teaching(label="dog")
    photo = feedback.prediction

    response = french_staff.get("/review")
    refused = said(french_staff.post(f"/review/{photo.pk}/", {"label": "fish"}), status=422)
    noted = french_staff.post(f"/review/{photo.pk}/", {"label": "dog"}, headers=HTMX)

    page = said(response)
    for words in (f"Que montre-t-elle{THIN}?", "encore 1", f"Nous avons dit{THIN}: chat", "Passer"):
        assert words in page
    # By the words on the buttons: chat and chien begin alike, so their numbers are the keys.
    assert re.search(r'value="cat" data-key="1".*?>Chat <kbd>1</kbd>', response.text)
    assert 'value="neither" data-key="n"' in response.text
    assert "fish" in refused
    assert "n’est pas un choix possible" in refused
    assert f"C’est noté{THIN}: chien." in said(noted)
    assert f"Annuler «{THIN}chien{THIN}»" in said(noted)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_is_kept_is_counted_in_french(french_visitor, own, number):
    Prediction.objects.all().delete()
    for _ in range(number):
        make_prediction(person=own.person, photo=None)

    page = said(french_visitor.get("/privacy"))

    assert ("Réponses notées" if number > 1 else "Réponse notée") in page
    assert "Une photo est effacée 30 jours après son envoi." in page


def test_the_privacy_page_names_the_cookies(french_visitor, client, db):
    english, page = client.get("/privacy").text, french_visitor.get("/privacy").text

    names = {"visitor", "csrftoken", "messages", "sessionid"}
    for name in names | {site_settings.LANGUAGE_COOKIE_NAME}:
        assert f"<code>{name}</code>: " in english
        assert f"<code>{name}</code>{THIN}: " in page


def test_consent_and_erasing_are_confirmed_in_french(french_visitor, own):
    given = french_visitor.post("/privacy/consent/", {"may_learn": "yes"}, follow=True)
    taken = french_visitor.post("/privacy/consent/", {"may_learn": "no"}, follow=True)
    strange = french_visitor.post("/privacy/consent/", {"may_learn": "perhaps"})
    erased = french_visitor.post("/privacy/erase/", follow=True)

    assert "Je peux apprendre des photos dont vous me parlez." in said(given)
    assert "Accord retiré" in said(taken)
    assert "Répondez par oui ou par non." in said(strange, status=422)
    assert "il ne reste rien de vous ici" in said(erased)
