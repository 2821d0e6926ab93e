import pytest

from classifier.models import Prediction
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

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_head_request_is_answered_like_a_get(client, engine):
    assert client.head("/").status_code == 200
