"""The language is what the browser asks for, until somebody chooses another one."""

import pytest
from django.test import Client

from classifier.models import Prediction
from tests.photos import photo_bytes, photo_upload

COOKIE = "language"


@pytest.fixture
def french(db):
    return Client(headers={"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.8"})


@pytest.mark.parametrize(
    ("asked", "language", "words"),
    [
        ("fr", "fr", "Choisir des photos"),
        ("fr-CA,en;q=0.5", "fr", "Choisir des photos"),
        ("en-GB,fr;q=0.5", "en", "Choose photos"),
        ("de,fr;q=0.5", "fr", "Choisir des photos"),
        ("de", "en", "Choose photos"),
        ("", "en", "Choose photos"),
        ("*", "en", "Choose photos"),
        ("x" * 1000, "en", "Choose photos"),
    ],
    ids=lambda each: each[:20],
)
def test_a_page_speaks_what_the_browser_asks_for(client, db, asked, language, words):
    page = client.get("/", headers={"Accept-Language": asked})

    assert f'<html lang="{language}">' in page.text
    assert words in page.text
    assert page.headers["Content-Language"] == language
    assert "Accept-Language" in page.headers["Vary"]


def test_each_page_offers_the_other_language_by_its_own_name(french, client):
    assert ">English</button>" in french.get("/").text
    assert ">Français</button>" not in french.get("/").text
    assert ">Français</button>" in client.get("/history").text
    assert ">Français</button>" in client.get("/nowhere").text


def test_what_was_chosen_is_kept_against_what_the_browser_asks_for(french):
    answer = french.post("/language/", {"language": "en", "next": "/history?said=right"})

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/history?said=right"
    assert '<html lang="en">' in french.get("/history").text
    assert '<html lang="en">' in french.get("/about").text


def test_the_cookie_is_as_careful_as_the_others(french, settings):
    settings.LANGUAGE_COOKIE_SECURE = True

    french.post("/language/", {"language": "en", "next": "/"})

    cookie = french.cookies[COOKIE]
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] >= 300 * 24 * 3600


@pytest.mark.parametrize("language", ["de", "", "../fr", "fr\0"])
def test_a_language_that_there_is_not_changes_nothing(french, language):
    french.post("/language/", {"language": language, "next": "/"})

    assert '<html lang="fr">' in french.get("/").text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_nobody_is_led_to_another_site(french, target):
    answer = french.post("/language/", {"language": "en", "next": target})

    assert answer.headers["Location"] == "/"


def test_a_forged_cookie_is_none(french):
    french.cookies[COOKIE] = "de; x"

    assert french.get("/").status_code == 200
    assert '<html lang="fr">' in french.get("/").text


def test_without_a_token_nothing_is_changed(db):
    checking = Client(enforce_csrf_checks=True)

    assert checking.post("/language/", {"language": "fr", "next": "/"}).status_code == 403


def test_the_switch_leads_back_to_an_answer_that_came_to_a_form(french, engine):
    page = french.post("/classify/", {"photo": photo_upload()}).text

    back = f'name="next" value="/predictions/{Prediction.objects.get().pk}/"'
    assert back in page
    assert 'name="next" value="/history?answer=cat&amp;said=right"' in (
        french.get("/history?answer=cat&said=right").text
    )
    assert 'name="next" value="/"' in french.post("/classify/", {"photo": photo_upload(b"x")}).text


def test_programs_ask_for_a_language_or_get_english(engine, client):
    def detail(**headers):
        sent = {"data": b"x", "content_type": "image/jpeg", "headers": headers}
        return client.generic("POST", "/api/predict", **sent).json()["detail"]

    english = detail()

    assert english == "This is not a JPEG, PNG, WebP, GIF, AVIF or HEIC photo."
    assert detail(**{"Accept-Language": "fr"}).startswith("Ce n’est pas une photo JPEG")
    assert detail() == english


def test_the_schema_is_the_same_in_every_language(client, french, db):
    """Also what Django and DRF would translate in it."""
    headers = {"Accept": "application/vnd.oai.openapi+json"}

    schemas = [each.get("/api/schema", headers=headers).json() for each in (client, french)]

    assert schemas[0] == schemas[1]
    assert schemas[0]["paths"]


def test_the_admin_offers_the_other_language_too(french, db):
    page = french.get("/admin/login/")

    assert '<html lang="fr"' in page.text
    assert ">English</button>" in page.text
    assert 'name="next" value="/admin/login/"' in page.text


def test_an_answer_is_the_same_in_every_language(engine, client):
    def answer(**headers):
        sent = {"data": photo_bytes(), "content_type": "image/jpeg", "headers": headers}
        told = client.generic("POST", "/api/predict", **sent).json()
        return {key: told[key] for key in ("answer", "label", "confidence", "probabilities")}

    assert answer(**{"Accept-Language": "fr"}) == answer()


def test_numbers_are_written_as_french_writes_them(french, engine):
    engine.logits = (5.0, 0.0)
    page = french.post("/classify/", {"photo": photo_upload()}).text

    assert "Sûr à 99,3\N{NARROW NO-BREAK SPACE}%" in page
    assert 'class="fill" width="99%"' in page
