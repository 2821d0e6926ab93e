"""What is kept of a visitor, and their say in it, without JavaScript."""

import pytest

from classifier.models import Prediction
from feedback.models import Consent, Feedback
from tests.make import make_prediction, make_teaching
from tests.photos import photo_upload

HTMX = {"HX-Request": "true"}


@pytest.fixture
def own(client, engine):
    """A prediction ("cat") of the page's visitor."""
    client.post("/classify/", {"photo": photo_upload()})
    return Prediction.objects.get()


def counts(client):
    kept = client.get("/privacy").context["kept"]
    return kept.answers, kept.photos, kept.to_learn_from


def say(client, may_learn, **how):
    return client.post("/privacy/consent/", {"may_learn": may_learn}, **how)


def test_it_is_asked_once_after_the_first_feedback(client, own):
    first = client.post(f"/feedback/{own.pk}/", {"label": "dog"}, headers=HTMX)
    assert "May I learn from the photos you tell me about?" in first.text

    url = f"/feedback/{own.pk}/consent/"
    thanked = client.post(url, {"may_learn": "yes"}, headers=HTMX)
    assert "May I learn" not in thanked.text
    assert "I may keep this photo" in thanked.text
    own.refresh_from_db()
    assert own.keep_until is None

    client.post("/classify/", {"photo": photo_upload()})
    later = Prediction.objects.exclude(pk=own.pk).get()
    answer = client.post(f"/feedback/{later.pk}/", {"label": "dog"}, headers=HTMX)
    assert "I may keep this photo" in answer.text
    assert Feedback.objects.to_learn_from().count() == 2


def test_no_is_remembered_too(client, own):
    client.post(f"/feedback/{own.pk}/", {"label": "dog"})

    answer = client.post(f"/feedback/{own.pk}/consent/", {"may_learn": "no"}, follow=True)

    assert answer.redirect_chain == [(f"/predictions/{own.pk}/", 303)]
    assert "May I learn" not in answer.text
    assert not Consent.objects.get().may_learn
    assert not Feedback.objects.get().consent


@pytest.mark.parametrize("said", [{}, {"may_learn": "perhaps"}], ids=str)
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
def test_neither_yes_nor_no_is_refused(client, own, said, headers):
    client.post(f"/feedback/{own.pk}/", {"label": "dog"})

    answer = client.post(f"/feedback/{own.pk}/consent/", said, headers=headers)

    assert answer.status_code == 422
    assert say(client, "").status_code == 422
    assert not Consent.objects.exists()


def test_the_question_of_another_s_photo_is_not_there(client, own):
    theirs = make_teaching().prediction

    answer = client.post(f"/feedback/{theirs.pk}/consent/", {"may_learn": "no"})

    assert answer.status_code == 404
    assert not Consent.objects.exists()


def test_taking_one_photo_back_leaves_the_others(client, own):
    say(client, "yes")
    client.post(f"/feedback/{own.pk}/", {"label": "dog"})

    client.post(f"/feedback/{own.pk}/", {"label": "dog", "consent": "false"})

    own.refresh_from_db()
    assert own.keep_until is not None
    assert Consent.objects.get().may_learn


def test_a_newcomer_has_nothing_here(client, db):
    make_prediction()

    page = client.get("/privacy")

    assert page.status_code == 200
    assert counts(client) == (0, 0, 0)
    assert not {"sessionid", "visitor"} & set(client.cookies)
    assert "Erase everything" not in page.text


def test_the_page_counts_what_is_kept(client, own):
    assert counts(client) == (1, 1, 0)

    client.post(f"/feedback/{own.pk}/", {"label": "dog", "consent": "true"})

    assert counts(client) == (1, 1, 1)


def test_consent_is_given_and_taken_back(client, own):
    client.post(f"/feedback/{own.pk}/", {"label": "dog"})

    given = say(client, "yes", follow=True)
    assert given.redirect_chain == [("/privacy", 303)]
    assert "Thank you!" in given.text
    assert counts(client) == (1, 1, 1)

    taken_back = say(client, "no", follow=True)
    assert "Taken back" in taken_back.text
    assert counts(client) == (1, 1, 0)
    own.refresh_from_db()
    assert own.keep_until is not None


def test_who_consents_is_remembered_for_long_enough_to_take_it_back(client, own):
    say(client, "yes")

    assert client.cookies["visitor"]["max-age"] > 365 * 24 * 3600


def test_a_login_does_not_last_longer_for_it(admin_client):
    say(admin_client, "yes")

    assert admin_client.session.get_expiry_age() <= 14 * 24 * 3600


def test_erasing_leaves_nothing(client, own, photos_dir):
    client.post(f"/feedback/{own.pk}/", {"label": "dog", "consent": "true"})
    theirs = make_teaching()

    for _ in range(2):
        answer = client.post("/privacy/erase/", follow=True)

    assert "nothing of yours is left" in answer.text
    assert counts(client) == (0, 0, 0)
    assert list(Prediction.objects.all()) == [theirs.prediction]
    assert len(list(photos_dir.glob("??/??/*"))) == 1


def test_an_address_alone_erases_nothing(client, engine):
    """Many people may share one."""
    client.post("/api/predict", {"image": photo_upload()})

    client.post("/privacy/erase/")

    assert counts(client) == (0, 0, 0)
    assert Prediction.objects.count() == 1


def test_getting_changes_nothing(client, own):
    assert client.get("/privacy/consent/").status_code == 405
    assert client.get("/privacy/erase/").status_code == 405
    assert client.get(f"/feedback/{own.pk}/consent/").status_code == 405


def test_a_form_from_elsewhere_is_refused(client_factory, db):
    outsider = client_factory(enforce_csrf_checks=True)

    assert outsider.post("/privacy/erase/").status_code == 403
    assert say(outsider, "yes").status_code == 403
    assert not Consent.objects.exists()
