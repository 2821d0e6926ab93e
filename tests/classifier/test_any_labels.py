"""Three labels that are neither cats nor dogs, all the way: trained, promoted, asked, corrected."""

import re
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings

from classifier import serving
from classifier.models import ModelVersion, Prediction
from feedback.models import Feedback
from ml.registry import list_versions
from tests.ml.drawn import draw_folder
from tests.photos import photo_upload

pytestmark = pytest.mark.django_db

KINDS = ("checks", "rings", "stripes")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, django_db_setup, django_db_blocker):
    """What `train_model` leaves on disk; its row in the database is taken back."""
    pytest.importorskip("keras", reason="training is not installed")
    place = tmp_path_factory.mktemp("three_labels")
    photos, models = draw_folder(place / "photos", KINDS), place / "models"
    with (
        override_settings(MODELS_DIR=models, VAR_DIR=place / "var"),
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        call_command("train_model", data=photos)
        labels = ModelVersion.objects.get().labels
        transaction.set_rollback(True)
    return SimpleNamespace(photos=photos, models=models, labels=labels)


@pytest.fixture
def live(trained, settings, monkeypatch):
    """The trained version, promoted and loaded; gives its name."""
    settings.MODELS_DIR = trained.models
    monkeypatch.setattr(serving, "_live", serving.LiveEngine())
    (name,) = list_versions(trained.models)
    call_command("promote_model", name)
    serving.engine()
    return name


def drawing(trained, kind):
    return photo_upload((trained.photos / kind / "000.png").read_bytes(), "drawing.png")


def ask(client, trained, kind):
    client.post("/classify/", {"photo": drawing(trained, kind)})
    return Prediction.objects.get()


def buttons(page):
    """The labels that can be pressed, in their order on the page."""
    return re.findall(r'<button name="label" value="([^"]+)"', page)


def test_training_registers_the_labels_that_the_folders_name(trained):
    assert trained.labels == list(KINDS)


def test_the_home_page_names_the_labels_and_asks_no_cat_or_dog(client, live):
    page = client.get("/").text

    assert "I know: checks, rings, stripes." in page
    assert "What is it?" in page
    assert "cat or dog" not in page.lower()


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_answers_with_each_label_and_ranks_all(client, trained, live, kind):
    page = client.post("/classify/", {"photo": drawing(trained, kind)}).text

    assert f"I’d say: {kind}" in page
    assert f'data-answer="{kind}"' in page
    assert set(re.findall(r'<li data-label="(\w+)"', page)) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_api_answers_with_each_label(client, trained, live, kind):
    answer = client.post("/api/predict", {"image": drawing(trained, kind)}).json()

    assert (answer["answer"], answer["label"]) == (kind, kind)
    assert set(answer["probabilities"]) == set(KINDS)
    assert sum(answer["probabilities"].values()) == pytest.approx(1)


def test_wrong_offers_the_other_labels_and_neither(client, trained, live):
    page = client.post("/classify/", {"photo": drawing(trained, "rings")}).text

    assert buttons(page) == ["checks", "stripes", "neither"]


def test_an_unsure_answer_offers_each_label_and_neither(client, trained, live):
    prediction = ask(client, trained, "rings")
    Prediction.objects.update(answer="unsure")

    page = client.get(prediction.get_absolute_url()).text

    assert buttons(page) == [*KINDS, "neither"]
    assert "Not sure: between rings and " in page


@pytest.mark.parametrize("label", [*KINDS, "neither"])
@pytest.mark.parametrize("door", ["page", "api"])
def test_feedback_takes_each_label(client, trained, live, label, door):
    prediction = ask(client, trained, "rings")

    give(client, prediction, label, door)

    kept = Feedback.objects.get()
    assert (kept.label, kept.agrees) == (label, label == "rings")


@pytest.mark.parametrize(("door", "status"), [("page", 422), ("api", 400)])
def test_feedback_refuses_a_label_that_the_version_does_not_know(
    client, trained, live, door, status
):
    prediction = ask(client, trained, "rings")

    response = give(client, prediction, "cat", door)

    assert response.status_code == status
    assert "is not a label of this prediction: checks, rings, stripes, neither" in response.text
    assert not Feedback.objects.exists()


def test_the_api_lists_the_labels_of_the_version(client, live):
    (row,) = client.get("/api/models").json()

    assert (row["version"], row["labels"], row["live"]) == (live, list(KINDS), True)


def test_the_admin_shows_the_labels_and_filters_by_them(client, admin_client, trained, live):
    prediction = ask(client, trained, "rings")
    give(client, prediction, "checks", "page")

    assert "checks, rings, stripes" in admin_client.get("/admin/classifier/modelversion/").text
    for place, found, other in [
        ("classifier/prediction/?answer__exact=", "rings", "checks"),
        ("feedback/feedback/?label__exact=", "checks", "rings"),
    ]:
        page = admin_client.get(f"/admin/{place}{found}")
        assert len(page.context["cl"].result_list) == 1
        assert f"?{place.split('?')[1]}{found}" in page.text  # the filter names the label
        assert not admin_client.get(f"/admin/{place}{other}").context["cl"].result_list


def give(client, prediction, label, door):
    if door == "page":
        return client.post(f"/feedback/{prediction.pk}/", {"label": label})
    return client.post("/api/feedback", {"prediction": str(prediction.pk), "label": label})
