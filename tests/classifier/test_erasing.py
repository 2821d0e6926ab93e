"""What is erased is gone everywhere: photo, feedback, features; what learnt from it is marked."""

import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.utils import timezone

from classifier import storage, unlearning
from classifier.classify import erase_prediction
from classifier.models import ModelVersion, Prediction, TrainingPhoto
from classifier.unlearning import unlearn_unless_allowed
from feedback.models import Feedback
from ml.features import FeatureCache
from ml.keeping import NETWORKS, Kept
from ml.photos import decode_photo
from tests.make import make_feedback, make_prediction, make_version
from tests.photos import photo_bytes, photo_upload

HTMX = {"HX-Request": "true"}
YESTERDAY = timezone.now() - timedelta(days=1)


@pytest.fixture
def photo():
    photo = decode_photo(photo_bytes())
    storage.keep(photo)
    return photo


@pytest.fixture
def learnt(db, photo, settings):
    """A prediction whose photo was lent, and was learnt from by version 2."""
    prediction = make_prediction(photo=photo, keep_until=None)
    TrainingPhoto.objects.create(version=make_version("2"), photo_sha256=photo.sha256)
    FeatureCache(settings.FEATURES_DIR).put([("key", photo.sha256, 1, 1, np.ones(3))])
    Kept(settings.FEATURES_DIR / NETWORKS).get("what Keras saw", lambda: b"it", of_photos=True)
    return prediction


def has_features(settings, photo):
    seen_by_keras = any((settings.FEATURES_DIR / NETWORKS).iterdir())
    return seen_by_keras or photo.sha256 in FeatureCache(settings.FEATURES_DIR).known("key")


def withdrawn(name="2"):
    return ModelVersion.objects.get(pk=name).withdrawn_photos


def is_erased(settings, photo):
    return (storage.read(photo.sha256), has_features(settings, photo)) == (None, False)


def test_erasing_takes_photo_feedback_and_features_and_marks_the_versions(learnt, photo, settings):
    make_feedback(learnt, label="dog", consent=True)

    erase_prediction(learnt)

    assert is_erased(settings, photo)
    assert not Prediction.objects.exists()
    assert not Feedback.objects.exists()
    assert (withdrawn("2"), withdrawn("2026-01-01.1")) == (1, 0)
    assert TrainingPhoto.objects.get().withdrawn_at


def test_the_mark_is_seen_in_the_api(learnt, client):
    erase_prediction(learnt)

    assert client.get("/api/models/2").json()["withdrawn_photos"] == 1


def test_a_photo_that_someone_else_lent_too_stays_learnt(learnt, photo, settings):
    make_prediction(photo=photo, person="visitor:other", keep_until=None)

    erase_prediction(learnt)

    assert storage.read(photo.sha256)
    assert has_features(settings, photo)
    assert withdrawn() == 0


def test_a_photo_that_someone_else_sent_but_did_not_lend_is_unlearnt(learnt, photo, settings):
    make_prediction(photo=photo, person="visitor:other")

    erase_prediction(learnt)

    assert storage.read(photo.sha256)  # theirs, until its end date
    assert not has_features(settings, photo)
    assert withdrawn() == 1


def test_a_photo_that_others_sent_and_no_longer_have_goes(learnt, photo, settings):
    make_prediction(photo=photo, person="visitor:other", photo_is_kept=False)

    erase_prediction(learnt)

    assert is_erased(settings, photo)


def test_taking_consent_back_unlearns(learnt, photo, settings):
    Prediction.objects.update(keep_until=timezone.now() + timedelta(days=1))

    assert unlearn_unless_allowed(photo.sha256)

    assert not has_features(settings, photo)
    assert withdrawn() == 1


def test_what_may_be_learnt_from_is_left_alone(learnt, photo, settings):
    assert not unlearn_unless_allowed(photo.sha256)

    assert has_features(settings, photo)
    assert withdrawn() == 0


def test_unlearning_twice_counts_once(learnt, photo):
    Prediction.objects.all().delete()

    unlearn_unless_allowed(photo.sha256)
    first = TrainingPhoto.objects.get().withdrawn_at
    unlearn_unless_allowed(photo.sha256)

    assert withdrawn() == 1
    assert TrainingPhoto.objects.get().withdrawn_at == first


def test_a_mark_stays_when_the_photo_comes_back_with_consent(learnt, photo):
    erase_prediction(learnt)

    make_prediction(photo=photo, keep_until=None)
    unlearn_unless_allowed(photo.sha256)

    assert withdrawn() == 1


def test_each_version_counts_its_own_photos(learnt, photo):
    third = make_version("3")
    for sha256 in (photo.sha256, "a" * 64, "b" * 64):
        TrainingPhoto.objects.create(version=third, photo_sha256=sha256)

    erase_prediction(learnt)
    unlearn_unless_allowed("a" * 64)

    assert (withdrawn("2"), withdrawn("3")) == (1, 2)


def test_where_there_is_no_cache_none_is_made(db, settings):
    assert unlearn_unless_allowed("0" * 64)

    assert not settings.FEATURES_DIR.exists()


def test_pruning_unlearns_what_has_expired(learnt, photo, settings, capsys):
    Prediction.objects.update(keep_until=YESTERDAY)

    call_command("prune_photos")

    assert is_erased(settings, photo)
    assert withdrawn() == 1
    assert Prediction.objects.get().photo_is_kept is False


def die(*args):
    raise KeyboardInterrupt


@pytest.mark.parametrize("step", ["forget_features", "mark_versions"])
def test_an_erasing_cut_short_before_the_row_is_gone_can_be_done_again(
    learnt, photo, settings, monkeypatch, step
):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(unlearning, step, die)
        erase_prediction(Prediction.objects.get())
    assert storage.read(photo.sha256)  # nothing was said to be erased

    erase_prediction(Prediction.objects.get())

    assert is_erased(settings, photo)
    assert withdrawn() == 1


@pytest.mark.parametrize("step", ["rename", "unlink"])
def test_an_erasing_cut_short_after_the_row_is_gone_is_ended_by_pruning(
    learnt, photo, settings, photos_dir, monkeypatch, step
):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, step, die)
        erase_prediction(learnt)
    (left,) = (path for path in photos_dir.rglob("*") if path.is_file())
    os.utime(left, (0, 0))

    call_command("prune_photos")

    assert not left.exists()
    assert is_erased(settings, photo)
    assert withdrawn() == 1


def test_pruning_cut_short_is_ended_by_the_next(learnt, photo, settings, monkeypatch):
    Prediction.objects.update(keep_until=YESTERDAY)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(unlearning, "mark_versions", die)
        call_command("prune_photos")

    call_command("prune_photos")

    assert withdrawn() == 1
    assert Prediction.objects.get().photo_is_kept is False


def test_the_api_erases_all_of_it(learnt, photo, settings, client, django_user_model):
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))

    assert client.delete(f"/api/predictions/{learnt.pk}").status_code == 204

    assert is_erased(settings, photo)
    assert withdrawn() == 1


def test_a_visitor_erases_their_answer_on_the_page(client, engine):
    client.post("/classify/", {"photo": photo_upload()})
    prediction = Prediction.objects.get()
    url = f"/predictions/{prediction.pk}/erase/"
    assert url in client.get(prediction.get_absolute_url()).text

    response = client.post(url, headers=HTMX)

    assert "have been erased" in response.text
    assert response.text.lstrip().startswith('<article class="card gone">')
    assert not Prediction.objects.exists()
    assert storage.read(prediction.photo_sha256) is None


def test_without_javascript_erasing_leads_home_and_says_so_there(client, engine):
    client.post("/classify/", {"photo": photo_upload()})

    response = client.post(f"/predictions/{Prediction.objects.get().pk}/erase/", follow=True)

    assert response.redirect_chain == [("/?erased", 303)]
    assert "have been erased" in response.text


def test_erasing_twice_says_the_same(client, engine):
    client.post("/classify/", {"photo": photo_upload()})
    url = f"/predictions/{Prediction.objects.get().pk}/erase/"

    assert [client.post(url).status_code for _ in range(2)] == [303, 303]


def test_what_is_someone_else_s_is_not_erased(client, learnt):
    assert client.post(f"/predictions/{learnt.pk}/erase/").status_code == 404
    assert Prediction.objects.exists()


def test_a_get_and_a_forged_form_erase_nothing(learnt, django_user_model):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))
    url = f"/predictions/{learnt.pk}/erase/"

    assert client.get(url).status_code == 405
    assert client.post(url).status_code == 403
    assert Prediction.objects.exists()


LIST = "/admin/classifier/prediction/"


def test_the_admin_asks_before_it_erases(learnt, photo, settings, admin_client):
    kept = make_prediction(photo=decode_photo(photo_bytes(size=(32, 32))))
    chosen = {"action": "erase", "_selected_action": [str(learnt.pk)]}

    page = admin_client.post(LIST, chosen).text
    assert "1 prediction will be erased for good" in page
    assert Prediction.objects.count() == 2

    page = admin_client.post(LIST, {**chosen, "confirmed": "yes"}, follow=True).text
    assert "1 erased, with their photos and feedback." in page
    assert list(Prediction.objects.all()) == [kept]
    assert is_erased(settings, photo)
    assert withdrawn() == 1


def test_the_admin_erases_all_that_a_filter_finds(db, admin_client):
    for label in ("cat", "dog"):
        for _ in range(3):
            make_prediction(label)
    one = str(Prediction.objects.first().pk)
    chosen = {"action": "erase", "_selected_action": [one], "select_across": "1"}

    page = admin_client.post(f"{LIST}?answer__exact=dog", chosen).text
    assert "3 predictions will be erased" in page
    assert 'name="select_across" value="1"' in page

    admin_client.post(f"{LIST}?answer__exact=dog", {**chosen, "confirmed": "yes"})
    assert set(Prediction.objects.values_list("answer", flat=True)) == {"cat"}


def test_staff_who_may_not_delete_may_not_erase(learnt, client, django_user_model):
    reader = django_user_model.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_prediction"))
    client.force_login(reader)
    chosen = {"action": "erase", "_selected_action": [str(learnt.pk)], "confirmed": "yes"}

    client.post(LIST, chosen)

    assert Prediction.objects.exists()
