import uuid

import pytest

from classifier.models import Prediction
from feedback.models import Feedback
from tests.make import make_feedback, make_prediction
from tests.photos import photo_upload

URL = "/api/feedback"


@pytest.fixture
def own(client, engine):
    """The id of a prediction ("cat") that the client has asked for."""
    return client.post("/api/predict", {"image": photo_upload()}).json()["id"]


def give(client, prediction, **said):
    return client.post(URL, {"prediction": prediction, **said}, content_type="application/json")


def test_the_first_is_created(client, own):
    response = give(client, own, label="dog", comment="Look at the ears")

    kept = Feedback.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": str(kept.pk),
        "prediction": own,
        "label": "dog",
        "correct": False,
        "comment": "Look at the ears",
        "consent": False,
        "created_at": kept.created_at.isoformat().replace("+00:00", "Z"),
    }


def test_the_last_one_counts(client, own):
    give(client, own, label="dog")

    response = give(client, own, correct=True)

    assert response.status_code == 200
    assert Feedback.objects.get().label == "cat"


def test_a_form_works_too(client, own):
    assert client.post(URL, {"prediction": own, "label": "neither"}).status_code == 201
    assert Feedback.objects.get().label == "neither"


@pytest.mark.parametrize(
    ("answer", "said", "label", "agrees"),
    [
        ("cat", {"correct": True}, "cat", True),
        ("cat", {"correct": False}, "", False),
        ("cat", {"label": "cat"}, "cat", True),
        ("cat", {"label": "dog"}, "dog", False),
        ("cat", {"label": "neither"}, "neither", False),
        ("unsure", {"correct": True}, "cat", True),
        ("unsure", {"label": "dog"}, "dog", False),
        ("neither", {"correct": True}, "neither", True),
        ("neither", {"label": "neither"}, "neither", True),
        ("neither", {"label": "cat"}, "cat", False),
    ],
)
def test_what_is_said_is_understood(db, answer, said, label, agrees):
    feedback = make_feedback(make_prediction("cat", answer=answer), **said)

    assert (feedback.label, feedback.agrees) == (label, agrees)


@pytest.mark.parametrize("said", [{}, {"label": "dog", "correct": True}], ids=["none", "both"])
def test_either_label_or_correct_is_needed(client, own, said):
    response = give(client, own, **said)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert not Feedback.objects.exists()


def test_an_unknown_label_is_refused_and_the_known_are_named(client, own):
    response = give(client, own, label="fish")

    assert response.status_code == 400
    assert (response.json()["code"], response.json()["field"]) == ("unknown_label", "label")
    assert "cat, dog, neither" in response.json()["detail"]
    assert not Feedback.objects.exists()


def test_an_unknown_prediction_is_a_404(client, engine):
    response = give(client, str(uuid.uuid4()), correct=True)

    assert (response.status_code, response.json()["code"]) == (404, "unknown_prediction")


def test_another_persons_prediction_is_unknown(client, engine):
    theirs = make_prediction(person="visitor:other")

    response = give(client, str(theirs.pk), correct=True)

    assert (response.status_code, response.json()["code"]) == (404, "unknown_prediction")
    assert not Feedback.objects.exists()


@pytest.mark.parametrize("prediction", ["", "42", None])
def test_what_is_no_id_is_refused(client, engine, prediction):
    response = give(client, prediction, correct=True)

    assert response.status_code == 400
    assert (response.json()["code"], response.json()["field"]) == ("invalid", "prediction")


def test_broken_json_is_refused(client, engine):
    response = client.post(URL, "{", content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_a_comment_of_a_novel_is_refused(client, own):
    response = give(client, own, correct=True, comment="x" * 1001)

    assert (response.status_code, response.json()["field"]) == (400, "comment")


def test_consent_lifts_the_photos_end_date_and_withdrawing_brings_it_back(client, own):
    before = Prediction.objects.get().keep_until

    give(client, own, correct=True, consent=True)
    assert Prediction.objects.get().keep_until is None

    give(client, own, correct=True, consent=False)
    after = Prediction.objects.get().keep_until
    assert abs((after - before).total_seconds()) < 5


def test_nobody_consents_for_another_person(db):
    prediction = make_prediction(person="visitor:owner")

    feedback = make_feedback(prediction, person="user:1", correct=True, consent=True)

    assert not feedback.consent
    assert Prediction.objects.get().keep_until is not None


def test_two_people_may_differ(db):
    prediction = make_prediction()

    make_feedback(prediction, correct=True)
    make_feedback(prediction, person="user:2", label="dog")

    assert Feedback.objects.count() == 2


def test_get_is_not_a_way_to_give(client, engine):
    assert client.get(URL).json()["code"] == "method_not_allowed"


def test_too_many_fields_are_refused(client, engine):
    response = client.post(URL, {str(number): "x" for number in range(1001)})

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
