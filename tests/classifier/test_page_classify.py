import re
from pathlib import Path

import pytest

from classifier.models import Prediction
from classifier.visitors import COOKIE
from tests.make import make_prediction
from tests.photos import photo_upload

HTMX = {"HX-Request": "true"}


def test_the_home_page_asks_for_a_photo(client, engine):
    response = client.get("/")

    assert response.status_code == 200
    assert 'type="file"' in response.text


def test_it_answers_with_the_fragment_for_htmx(client, engine):
    response = client.post("/classify/", {"photo": photo_upload()}, headers=HTMX)

    assert response.status_code == 201
    assert response.text.lstrip().startswith('<article class="card" data-answer="cat"')
    assert "cat" in response.text
    assert "98" in response.text


def test_it_answers_with_the_whole_page_without_javascript(client, engine):
    response = client.post("/classify/", {"photo": photo_upload()})

    assert response.status_code == 201
    assert "<!doctype html>" in response.text
    assert 'id="answer"' in response.text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"oops", "not a JPEG"),
        (b"", "empty"),
        (b"\xff\xd8\xff\xe0 and no more", "broken"),
    ],
)
def test_it_refuses_with_the_reason_and_does_not_ask_the_model(client, engine, data, reason):
    response = client.post("/classify/", {"photo": photo_upload(data)}, headers=HTMX)

    assert response.status_code == 422
    assert reason in response.text
    assert engine.asked == []
    assert not Prediction.objects.exists()


def test_it_asks_for_a_photo_when_there_is_none(client, engine):
    response = client.post("/classify/", {}, headers=HTMX)

    assert response.status_code == 422
    assert "Choose a photo first" in response.text


def test_the_answer_can_be_visited_again_by_its_visitor_alone(client, engine, client_factory):
    client.post("/classify/", {"photo": photo_upload()})
    url = Prediction.objects.get().get_absolute_url()

    assert "98" in client.get(url).text
    assert client_factory().get(url).status_code == 404


def test_the_photo_is_shown_to_its_visitor_alone(client, engine, client_factory):
    client.post("/classify/", {"photo": photo_upload()})
    url = f"/photos/{Prediction.objects.get().pk}/"

    assert client.get(url)["Content-Type"] == "image/jpeg"
    assert client_factory().get(url).status_code == 404


def test_an_erased_photo_is_a_404(client, db, django_user_model):
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))

    assert client.get(f"/photos/{make_prediction().pk}/").status_code == 404


def test_without_a_version_the_page_says_so(client, db):
    response = client.post("/classify/", {"photo": photo_upload()}, headers=HTMX)

    assert response.status_code == 503
    assert "No version is live" in response.text


def test_a_get_does_not_classify(client, engine):
    assert client.get("/classify/").status_code == 405


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(client, engine):
    policy = client.get("/")["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_head_request_is_answered_like_a_get(client, engine):
    assert client.head("/").status_code == 200


def test_a_browser_s_script_gets_a_name_and_a_token_for_photos_that_leave_together(client, engine):
    got = client.get("/visitor/", headers=HTMX)

    assert got.json()["token"]
    assert "no-store" in got["Cache-Control"]
    name = client.cookies[COOKIE].value.partition(":")[0]
    client.post("/classify/", {"photo": photo_upload()}, headers=HTMX)
    assert Prediction.objects.get().person == f"visitor:{name}"


def test_whoever_is_no_script_of_ours_gets_no_name(client, engine):
    assert client.get("/visitor/").status_code == 404
    assert COOKIE not in client.cookies


def test_the_answer_says_how_long_it_took_and_who_gave_it(client, engine):
    page = client.post("/classify/", {"photo": photo_upload()}, headers=HTMX).text

    assert re.search(r"Answered in \d+ ms by 2026-01-01\.1", page)


def test_the_script_holds_no_word_that_a_person_reads():
    """What people read is in the templates, where it can be translated: no script sets a text."""
    set_here = re.compile(r"(textContent|innerHTML|innerText|title|alt)\s*=\s*[\"'`]\w")

    scripts = [*Path("static/classify").glob("*.js")]

    assert len(scripts) >= 10
    assert [script.name for script in scripts if set_here.search(script.read_text())] == []
