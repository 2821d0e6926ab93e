"""Each answer can say what made it so, and be checked by asking again."""

import json
import uuid

import pytest
import yaml
from django.core.management import CommandError, call_command

from classifier import storage
from classifier.classify import classify_photo
from classifier.models import ModelVersion, Prediction
from classifier.promoting import promote_version
from ml.photos import decode_photo
from ml.registry import load_card
from tests.make import make_prediction
from tests.networks import tiny_network, write_tiny_version
from tests.photos import photo_bytes, photo_upload

VERSION = "2026-01-01.1"


@pytest.fixture
def models_dir(settings, tmp_path):
    settings.MODELS_DIR = tmp_path / "models"
    return settings.MODELS_DIR


@pytest.fixture
def logged(db, models_dir, monkeypatch):
    """An answer of a real version, with its photo kept."""
    from classifier import serving

    write_tiny_version(models_dir, VERSION, logits=(4.0, 0.0), code_revision="abc123")
    promote_version(VERSION, by="someone")
    monkeypatch.setattr(serving, "_live", serving.LiveEngine())
    return classify_photo(decode_photo(photo_bytes()), person="visitor:someone")


def verify(prediction, **options):
    call_command("verify_prediction", str(getattr(prediction, "pk", prediction)), **options)


def test_a_receipt_names_what_made_the_answer(logged, models_dir):
    card = load_card(models_dir / VERSION)

    assert logged.receipt["answer"] == "cat"
    assert logged.receipt["photo"]["sha256"] == logged.photo_sha256
    assert logged.receipt["model"] == {
        "version": VERSION,
        "weights_sha256": card.weights_sha256,
        "files": {"model.onnx": card.weights_sha256},
        "data_digest": "d" * 64,
        "preprocessing": card.preprocessing,
        "thresholds": {
            "unsure_below": None,
            "neither_above": None,
            "temperature": 1.0,
            "second": None,
        },
        "code_revision": "abc123",
    }


def test_a_version_registered_before_receipts_were_kept_gets_one(logged, models_dir):
    ModelVersion.objects.update(files={}, preprocessing="", thresholds={})

    call_command("register_models")

    logged.version.refresh_from_db()
    assert logged.receipt["model"]["files"].keys() == {"model.onnx"}


def test_the_api_gives_the_receipt_as_its_schema_says(client, engine):
    answer = client.post("/api/predict", {"image": photo_upload()}).json()

    receipt = client.get(answer["links"]["receipt"]).json()

    assert receipt["id"] == answer["id"]
    assert receipt["probabilities"] == answer["probabilities"]
    schema = yaml.safe_load(client.get("/api/schema").content)["components"]["schemas"]
    parts = {"Receipt": receipt, "ReceiptModel": receipt["model"]}
    parts |= {"ReceiptPhoto": receipt["photo"], "ReceiptTimings": receipt["timings_ms"]}
    for name, part in parts.items():
        assert list(schema[name]["properties"]) == list(part), name


@pytest.mark.parametrize("url", ["/api/predictions/{}/receipt", "/predictions/{}/receipt/"])
def test_a_receipt_is_for_whoever_got_the_answer(client, engine, client_factory, url):
    client.post("/classify/", {"photo": photo_upload()})
    url = url.format(Prediction.objects.get().pk)

    assert client.get(url).json()["answer"] == "cat"
    assert client_factory().get(url).status_code == 404
    assert client.get(f"/api/predictions/{uuid.uuid4()}/receipt").json()["code"] == "not_found"


def test_where_the_api_is_closed_a_visitor_still_gets_the_page_s_receipt(client, engine, settings):
    settings.API_ACCESS = "token"
    page = client.post("/classify/", {"photo": photo_upload()}).text
    url = f"/predictions/{Prediction.objects.get().pk}/receipt/"

    assert url in page
    assert client.get(url).json()["model"]["version"] == VERSION
    assert client.get(f"/api{url.rstrip('/')}").status_code == 401


def test_the_admin_shows_the_receipt_of_a_prediction_and_of_a_version(admin_client):
    prediction = make_prediction()

    for url in (f"prediction/{prediction.pk}", f"modelversion/{prediction.version_id}"):
        page = admin_client.get(f"/admin/classifier/{url}/change/").text
        assert "&quot;preprocessing&quot;" in page


def test_a_prediction_asked_again_is_the_same(logged, capsys):
    verify(logged)

    said = capsys.readouterr().out
    assert "All the same" in said
    lines = said.splitlines()[:-1]
    assert all(line.startswith("same ") for line in lines)
    for name in ("photo SHA-256", "weights SHA-256", "thresholds", "answer", "probability of cat"):
        assert any(f" {name}: " in line for line in lines), name


def test_a_number_may_differ_within_the_tolerance(logged, capsys):
    Prediction.objects.update(probabilities={"cat": 0.977, "dog": 0.023})  # not quite

    verify(logged)

    assert "0.977 was logged" in capsys.readouterr().out
    with pytest.raises(CommandError, match="Not the same: probability of cat, probability of dog"):
        verify(logged, tolerance=0.001)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"answer": "dog"}, "answer"),
        ({"novelty": 0.5}, "novelty"),
        ({"probabilities": {"cat": 0.9, "dog": 0.1}}, "probability of cat"),
        ({"probabilities": {"cat": 0.98, "owl": 0.02}}, "probability of owl"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_that_was_rewritten_is_found_out(logged, changes, what, capsys):
    Prediction.objects.update(**changes)

    with pytest.raises(CommandError, match=f"Not the same: .*{what}"):
        verify(logged)
    assert f"DIFFERENT  {what}" in capsys.readouterr().out


def test_a_photo_that_was_exchanged_is_found_out(logged, photos_dir):
    path = next(path for path in photos_dir.rglob("*") if path.is_file())
    path.write_bytes(photo_bytes(size=(32, 32)))

    with pytest.raises(CommandError, match="Not the same: photo SHA-256"):
        verify(logged)


def test_another_version_in_the_folder_is_found_out(logged, models_dir):
    (models_dir / VERSION).rename(models_dir / "old")
    write_tiny_version(models_dir, VERSION, logits=(4.0, 0.0), temperature=2.0)

    with pytest.raises(CommandError, match="Not the same: thresholds, code revision, probability"):
        verify(logged)


def test_changed_files_cannot_be_compared(logged, models_dir):
    (models_dir / VERSION / "model.onnx").write_bytes(tiny_network((0.0, 4.0)))

    with pytest.raises(CommandError, match="cannot be verified.*not the file that was saved"):
        verify(logged)


def test_a_version_whose_folder_is_gone_cannot_be_compared(logged, models_dir):
    (models_dir / VERSION).rename(models_dir / "gone")

    with pytest.raises(CommandError, match="cannot be verified.*card.json cannot be read"):
        verify(logged)


def test_an_erased_photo_cannot_be_compared(logged):
    storage.erase(logged.photo_sha256, lambda: False)

    with pytest.raises(CommandError, match="The photo has been erased"):
        verify(logged)


def test_a_photo_that_can_no_longer_be_decoded_cannot_be_compared(logged, photos_dir):
    path = next(path for path in photos_dir.rglob("*") if path.is_file())
    path.write_bytes(b"\xff\xd8\xff\xe0")

    with pytest.raises(CommandError, match="cannot be verified.*broken"):
        verify(logged)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("x", "is a UUID. Received: 'x'"), (str(uuid.UUID(int=7)), "no prediction")],
)
def test_an_id_that_is_none_is_refused(db, text, reason):
    with pytest.raises(CommandError, match=reason):
        verify(text)


def test_what_the_receipt_says_is_json(logged, client):
    assert json.loads(json.dumps(logged.receipt)) == logged.receipt
