"""In French, no page says a word of English: to visitors, to those logged in, to staff."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import translation

from classifier.models import Prediction
from feedback.models import TrainingRun
from tests.make import (
    make_feedback,
    make_prediction,
    make_review,
    make_run,
    make_saved_version,
    make_teaching,
)
from tests.photos import photo_upload
from tests.routes import every_route
from tests.translations.conftest import untranslated
from tests.translations.reading import bare_words


def shows_rows_as_they_are(route):
    """Pages of which much is no words, but data: test_monitoring_pages.py tells these apart."""
    return route.name == "insights" or route.pattern.startswith("admin/")


@pytest.fixture
def everything(db, engine, settings, tmp_path):
    """Something of each kind, so that no page is empty; what the addresses of their pages need."""
    settings.MODELS_DIR = tmp_path / "models"
    version = make_saved_version(settings.MODELS_DIR, "2026-03-01.1")
    taught = [make_teaching("dog", number=number) for number in range(3)]
    make_review(taught[0])
    make_feedback(make_prediction(label="dog"), correct=False)
    run = make_run()
    make_run(state=TrainingRun.State.DONE, outcome=TrainingRun.Outcome.REFUSED, candidate=version)
    prediction = taught[1].prediction
    return {
        **{"prediction_id": prediction.pk, "pk": prediction.pk, "object_id": prediction.pk},
        **{"run_id": run.pk, "replay_id": uuid4(), "name": version.name, "version": version.name},
        **{"figure_name": "roc.svg", "app_label": "classifier", "url": "nothing"},
        **{"id": 1, "content_type_id": 1},
    }


@pytest.mark.parametrize("who", ["visitor", "staff"])
def test_no_page_says_what_nobody_translated(request, everything, who):
    client = request.getfixturevalue(who)
    found, seen = {}, set()

    for route in every_route():
        if shows_rows_as_they_are(route):
            continue
        response = client.get(route.path(everything))
        seen.add(response.status_code)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if (is_page or response.status_code >= 400) and (words := untranslated(response)):
            found[route.pattern] = words

    assert found == {}
    assert {200, 404, 405} <= seen
    assert 500 not in seen


@pytest.mark.parametrize("mime", ["text/html", "application/json"])
@pytest.mark.parametrize("path", ["/nowhere", "/api/nowhere", "/photos/x/", "/admin/nowhere/"])
def test_nor_does_a_page_that_is_not_there(visitor, assert_translated, path, mime):
    response = visitor.get(path, headers={"Accept": mime})

    assert response.status_code in (302, 404)
    if response.status_code == 404:
        assert_translated(response)


@pytest.mark.parametrize(
    ("answer", "confidence"), [("cat", 0.999), ("dog", 0.97), ("unsure", 0.6), ("neither", 0.7)]
)
@pytest.mark.parametrize("name", ["prediction", "why"])
def test_an_answer_says_nothing_else(staff, engine, assert_translated, answer, confidence, name):
    label = answer if answer in ("cat", "dog") else "cat"
    prediction = make_prediction(label, confidence, answer=answer, novelty=0.4)

    response = staff.get(reverse(name, args=[prediction.pk]))

    assert response.status_code in (200, 404)
    assert_translated(response)


def test_an_answer_that_waits_for_the_database_says_so(marked, engine):
    prediction = make_prediction()
    prediction.logged = Prediction.SPOOLED

    with translation.override("fr"):
        text = render_to_string("classifier/_card.html", {"prediction": prediction})

    assert "⟦Mon carnet" in text
    assert bare_words(text) == []


@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}], ids=["page", "card"])
@pytest.mark.parametrize(
    "sent", [{}, {"photo": b""}, {"photo": b"hello"}, {"photo": None}], ids=str
)
def test_a_photo_is_answered_or_refused_in_french(visitor, engine, assert_translated, sent, htmx):
    files = {key: photo_upload(*([] if data is None else [data])) for key, data in sent.items()}

    response = visitor.post("/classify/", files, headers=htmx)

    assert response.status_code == (201 if sent.get("photo", b"") is None else 422)
    assert_translated(response)


def test_why_says_where_it_looked(visitor, tiny_engine, assert_translated):
    visitor.post("/classify/", {"photo": photo_upload()})
    prediction = Prediction.objects.get()

    response = visitor.get(reverse("why", args=[prediction.pk]))

    assert response.status_code == 200
    assert "heat" in response.context
    assert_translated(response)


def test_the_history_says_nothing_else(visitor, engine, assert_translated):
    assert_translated(visitor.get("/history"))
    visitor.post("/classify/", {"photo": photo_upload()})
    prediction = Prediction.objects.get()
    make_feedback(prediction, label="dog")
    others = [("dog", "unsure"), ("cat", "neither"), ("dog", "dog")]
    for label, answer in others:
        make_prediction(label, 0.6, person=prediction.person, answer=answer)

    for query in ("", "?answer=neither", "?said=wrong", "?said=right", "?answer=unsure"):
        assert_translated(visitor.get(f"/history{query}"))

    gone = visitor.post(reverse("erase_from_history", args=[prediction.pk]), follow=True)
    assert "⟦C’est effacé" in gone.text
    assert_translated(gone)


def test_an_erased_card_says_so(visitor, engine, assert_translated):
    visitor.post("/classify/", {"photo": photo_upload()})
    path = reverse("erase", args=[Prediction.objects.get().pk])

    assert_translated(visitor.post(path, headers={"HX-Request": "true"}))
    assert_translated(visitor.get("/?erased"))


@pytest.mark.parametrize("labels", [("cat", "dog"), ("cat", "dog", "hare"), ("birch", "oak")])
def test_the_first_page_knows_other_labels(visitor, engine, assert_translated, labels):
    engine.card = replace(engine.card, labels=labels)

    response = visitor.get("/")

    assert_translated(response)


def test_errors_of_the_whole_site_are_in_french(staff, engine, monkeypatch, assert_translated):
    monkeypatch.setattr("classifier.pages.history.History", _broken)

    assert staff.get("/history").status_code == 500
    assert_translated(staff.get("/history"))
    assert_translated(staff.get("/", headers={"Host": "evil.example"}))
    checking = Client(enforce_csrf_checks=True, headers={"Accept-Language": "fr"})
    refused = checking.post("/classify/")
    assert refused.status_code == 403
    assert_translated(refused)


def test_what_surrounds_the_browsable_api_is_in_french(staff, engine):
    page = staff.get("/api/predictions", headers={"Accept": "text/html"}).text

    assert "⟦Documentation⟧" in page
    assert "⟦Filtres⟧" in page
    assert '<div lang="en"><p>Logged predictions' in page


def _broken(*args):
    raise RuntimeError("This is a test.")
