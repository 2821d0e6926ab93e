"""Consent: asked once, remembered for each person, taken back at any time."""

import pytest

from classifier import unlearning
from classifier.models import ApiToken, Prediction
from feedback.consent import consent_to_all, erase_all, kept_of, remember, take_back_all
from feedback.giving import answer_consent
from feedback.models import Consent, Feedback
from tests.make import make_feedback, make_prediction, make_teaching
from tests.photos import photo_upload


@pytest.fixture
def unlearnt(monkeypatch):
    """The photos that were asked to be unlearnt."""
    photos = []
    monkeypatch.setattr(unlearning, "unlearn_unless_allowed", photos.append)
    return photos


def state(feedback):
    feedback.refresh_from_db()
    return feedback.consent, feedback.prediction.keep_until is None


@pytest.mark.parametrize(
    ("general", "said", "expected"),
    [
        (None, None, False),
        (True, None, True),
        (False, None, False),
        (None, True, True),
        (False, True, True),
        (True, False, False),
    ],
)
def test_what_is_said_of_a_photo_goes_before_what_is_said_in_general(db, general, said, expected):
    prediction = make_prediction()
    if general is not None:
        remember(prediction.person, general)

    feedback = make_feedback(prediction, correct=True, consent=said)

    assert state(feedback) == (expected, expected)


def test_what_is_said_of_a_photo_is_not_remembered_in_general(db):
    make_feedback(make_prediction(), correct=True, consent=True)

    assert not make_feedback(make_prediction(), correct=True).consent
    assert not Consent.objects.exists()


def test_one_person_s_consent_says_nothing_of_another_s_photo(db):
    remember("visitor:other", True)

    feedback = make_feedback(make_prediction(), person="visitor:other", correct=True)

    assert state(feedback) == (False, False)


def test_an_answer_to_the_question_counts_for_this_photo_and_later_ones(db):
    earlier, now = make_feedback(make_prediction()), make_feedback(make_prediction())

    answer_consent(now, True)

    assert state(now) == (True, True)
    assert state(make_feedback(make_prediction())) == (True, True)
    assert state(earlier) == (False, False)


def test_an_erased_photo_cannot_be_consented_to(db):
    feedback = make_feedback(make_prediction(photo_is_kept=False), correct=True, consent=True)

    assert state(feedback) == (False, False)


def test_consent_to_all_reaches_the_photos_so_far_that_are_still_there(db):
    told = make_feedback(make_prediction())
    gone = make_feedback(make_prediction(photo_is_kept=False))
    untold = make_prediction()

    consent_to_all(told.person)

    assert state(told) == (True, True)
    assert state(gone) == (False, False)
    assert Prediction.objects.get(pk=untold.pk).keep_until is not None


def test_taking_all_back_leaves_other_people_alone(db, unlearnt):
    person = "visitor:me"
    mine = [make_teaching(number=number, person=person) for number in range(2)]
    theirs = make_teaching(number=2)
    end_date = make_prediction(person=person).keep_until

    take_back_all(person)

    assert [state(each) for each in mine] == [(False, False)] * 2
    assert abs(mine[0].prediction.keep_until - end_date).total_seconds() < 5
    assert state(theirs) == (True, True)
    assert sorted(unlearnt) == sorted(each.prediction.photo_sha256 for each in mine)
    assert not make_feedback(make_prediction(person=person)).consent


def test_taking_back_twice_is_taking_back_once(db, unlearnt):
    person = make_teaching().person

    take_back_all(person)
    take_back_all(person)

    assert len(unlearnt) == 1


def test_where_unlearning_fails_the_consent_is_still_there_to_take_back(db, monkeypatch):
    def fail(sha256):
        raise OSError("disk full")

    feedback = make_teaching()
    monkeypatch.setattr(unlearning, "unlearn_unless_allowed", fail)

    with pytest.raises(OSError, match="disk full"):
        take_back_all(feedback.person)

    assert state(feedback) == (True, True)


def test_a_change_of_mind_about_one_photo_unlearns_it(db, unlearnt):
    feedback = make_teaching()

    make_feedback(feedback.prediction, label="dog", consent=False)

    assert state(feedback) == (False, False)
    assert unlearnt == [feedback.prediction.photo_sha256]


def test_feedback_that_never_taught_unlearns_nothing(db, unlearnt):
    make_feedback(make_prediction(), correct=True, consent=False)

    assert unlearnt == []


def test_erasing_all_leaves_nothing_of_a_person(db, photos_dir):
    mine, theirs = make_teaching(number=1, person="visitor:me"), make_teaching(number=2)
    make_feedback(theirs.prediction, person="visitor:me", label="cat")
    remember("visitor:me", True)

    erase_all("visitor:me")

    assert list(Feedback.objects.all()) == [theirs]
    assert list(Prediction.objects.all()) == [theirs.prediction]
    assert not Consent.objects.exists()
    assert [path.name for path in photos_dir.glob("??/??/*")] == [theirs.prediction.photo_sha256]
    assert mine.prediction.photo_sha256 != theirs.prediction.photo_sha256


def test_a_photo_sent_twice_counts_once(db):
    for _ in range(2):
        make_teaching(person="visitor:me")
    make_prediction(person="visitor:me", photo_is_kept=False)

    kept = kept_of("visitor:me")

    assert (kept.answers, kept.photos, kept.to_learn_from) == (3, 1, 1)


@pytest.mark.parametrize("general", [True, False])
@pytest.mark.parametrize("as_form", [True, False], ids=["form", "json"])
def test_the_api_remembers_for_users(admin_client, admin_user, engine, general, as_form):
    remember(f"user:{admin_user.pk}", general)
    prediction = admin_client.post("/api/predict", {"image": photo_upload()}).json()["id"]
    said = {"prediction": prediction, "label": "dog"}
    how = {} if as_form else {"content_type": "application/json"}

    assert admin_client.post("/api/feedback", said, **how).json()["consent"] is general
    said["consent"] = not general
    assert admin_client.post("/api/feedback", said, **how).json()["consent"] is not general
    assert Consent.objects.get().may_learn is general


def test_the_bearer_of_a_token_consents_photo_by_photo(client, engine):
    _, secret = ApiToken.objects.issue("phone")
    headers = {"Authorization": f"Bearer {secret}"}
    photo = {"image": photo_upload()}
    prediction = client.post("/api/predict", photo, headers=headers).json()["id"]
    said = {"prediction": prediction, "label": "dog", "consent": True}

    given = client.post("/api/feedback", said, content_type="application/json", headers=headers)
    del said["consent"]
    again = client.post("/api/feedback", said, content_type="application/json", headers=headers)

    assert given.json()["consent"] is True
    assert again.json()["consent"] is False
    assert Prediction.objects.get().keep_until is not None


@pytest.mark.parametrize("consent", ["perhaps", [], {}])
def test_neither_yes_nor_no_is_refused(client, engine, consent):
    prediction = client.post("/api/predict", {"image": photo_upload()}).json()["id"]
    said = {"prediction": prediction, "label": "dog", "consent": consent}

    response = client.post("/api/feedback", said, content_type="application/json")

    assert (response.status_code, response.json()["field"]) == (400, "consent")
    assert not Feedback.objects.exists()
