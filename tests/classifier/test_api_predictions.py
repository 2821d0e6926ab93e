import uuid

import pytest
from django.utils import timezone

from classifier import storage
from classifier.api.shapes import PredictionSerializer
from classifier.models import ApiToken, Prediction
from feedback.models import Feedback
from tests.make import make_feedback, make_prediction
from tests.photos import photo_upload

URL = "/api/predictions"


@pytest.fixture
def staff(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))
    return client


def listed(client, **filters):
    return [row["id"] for row in client.get(URL, filters).json()["results"]]


def test_staff_see_all_newest_first(staff):
    older, newer = make_prediction(), make_prediction(person="visitor:other")

    assert listed(staff) == [str(newer.pk), str(older.pk)]


def test_others_see_their_own(client, engine):
    theirs = make_prediction(person="visitor:other")
    own = client.post("/api/predict", {"image": photo_upload()}).json()["id"]

    assert listed(client) == [own]
    assert client.get(f"{URL}/{theirs.pk}").json()["code"] == "not_found"


def test_a_token_sees_what_it_asked(client, db, settings):
    settings.API_ACCESS = "token"
    token, secret = ApiToken.objects.issue("phone")
    own = make_prediction(person=f"token:{token.pk}")
    make_prediction()

    response = client.get(URL, headers={"Authorization": f"Bearer {secret}"})

    assert [row["id"] for row in response.json()["results"]] == [str(own.pk)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"label": "dog"}, ["dog"]),
        ({"answer": "unsure"}, ["unsure"]),
        ({"version": "2026-01-01.1"}, ["unsure", "dog", "cat"]),
        ({"version": "another"}, []),
        ({"has_feedback": "true"}, ["dog"]),
        ({"has_feedback": "false"}, ["unsure", "cat"]),
        ({"since": "2000-01-01T00:00:00Z"}, ["unsure", "dog", "cat"]),
        ({"until": "2000-01-01T00:00:00Z"}, []),
    ],
    ids=str,
)
def test_filters(staff, filters, expected):
    make_prediction("cat")
    make_feedback(make_prediction("dog"))
    make_prediction("cat", confidence=0.6, answer="unsure")

    rows = staff.get(URL, filters).json()["results"]

    assert [row["answer"] for row in rows] == expected


def test_two_feedbacks_do_not_list_a_prediction_twice(staff):
    prediction = make_prediction()
    make_feedback(prediction)
    make_feedback(prediction, person="user:7", label="dog")

    assert listed(staff, has_feedback="true") == [str(prediction.pk)]


def test_a_filter_that_is_no_date_is_refused(staff):
    response = staff.get(URL, {"since": "yesterday"})

    assert response.status_code == 400
    assert (response.json()["code"], response.json()["field"]) == ("invalid", "since")


@pytest.mark.parametrize(
    "query",
    [
        "since=0001-01-01T00:00:00%2B14:00",
        "until=9999-12-31T23:59:59-14:00",
        "has_feedback=perhaps",
        "label=%00",
        "version=%00",
        "cursor=cD1hYmM%3D",  # "p=abc": well-formed, and no id
    ],
)
def test_a_hostile_query_is_refused(staff, query):
    make_prediction()

    response = staff.get(f"{URL}?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_pages_follow_each_other(staff):
    # By identifier: two that were made in the same millisecond come in either order.
    made = sorted(str(make_prediction().pk) for _ in range(5))

    first = staff.get(URL, {"page_size": 3}).json()
    second = staff.get(first["next"]).json()

    rows = [row["id"] for row in first["results"] + second["results"]]
    assert rows == made[::-1]
    assert second["next"] is None


def test_deleting_erases_photo_and_feedback(client, engine):
    own = client.post("/api/predict", {"image": photo_upload()}).json()["id"]
    client.post("/api/feedback", {"prediction": own, "correct": True})
    sha256 = Prediction.objects.get().photo_sha256

    response = client.delete(f"{URL}/{own}")

    assert response.status_code == 204
    assert not Prediction.objects.exists()
    assert not Feedback.objects.exists()
    assert storage.read(sha256) is None


def test_deleting_leaves_the_photo_to_others_who_sent_it(client, engine):
    own = client.post("/api/predict", {"image": photo_upload()}).json()["id"]
    kept = Prediction.objects.get()
    Prediction.objects.filter(pk=own).update(person="visitor:other")
    own = client.post("/api/predict", {"image": photo_upload()}).json()["id"]

    client.delete(f"{URL}/{own}")

    assert storage.read(kept.photo_sha256) is not None


def test_what_is_not_ones_own_cannot_be_deleted(client, db):
    theirs = make_prediction(person="visitor:other")

    assert client.delete(f"{URL}/{theirs.pk}").status_code == 404
    assert Prediction.objects.filter(pk=theirs.pk).exists()


def test_an_unknown_id_is_a_404(staff):
    assert staff.get(f"{URL}/{uuid.uuid4()}").json()["code"] == "not_found"


def test_the_list_takes_the_same_few_queries_however_long_it_is(
    staff, django_assert_max_num_queries
):
    for _ in range(20):
        make_prediction()

    with django_assert_max_num_queries(3):  # session, user, predictions with their versions
        staff.get(URL)


def declared(serializer):
    """The names of a serializer's fields, with those of the serializers within."""
    return {
        name: declared(field) if getattr(field, "fields", None) else None
        for name, field in serializer.fields.items()
    }


def test_what_is_sent_has_the_fields_that_are_declared(staff):
    make_prediction()

    row = staff.get(URL).json()["results"][0]

    sent = {
        name: dict.fromkeys(value) if isinstance(value, dict) and name != "probabilities" else None
        for name, value in row.items()
    }
    assert sent == declared(PredictionSerializer())


def test_times_are_aware(staff):
    make_prediction()

    created = staff.get(URL).json()["results"][0]["created_at"]

    assert timezone.datetime.fromisoformat(created).tzinfo is not None
