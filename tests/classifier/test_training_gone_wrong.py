"""Whatever goes wrong in training, by either door: a clear message, no version, nothing changed."""

import hashlib
import itertools
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from classifier.models import ModelVersion
from ml import features, heads
from ml.__main__ import main
from ml.examples import split_of
from tests.limits import limit_file_size
from tests.make import make_version, write_version
from tests.ml.drawn import draw_folder

pytest.importorskip("keras", reason="training is not installed")

from ml import imagenet  # noqa: E402

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Photos that can be trained on, and a place for their features, kept from test to test."""
    place = tmp_path_factory.mktemp("gone_wrong")
    return SimpleNamespace(photos=draw_folder(place / "photos"), var=place / "var")


@pytest.fixture
def places(drawn, settings, tmp_path):
    """A test's own copy of the photos, and models with one version, which is live."""
    settings.VAR_DIR, settings.MODELS_DIR = drawn.var, tmp_path / "models"
    settings.DATA_DIR = tmp_path / "photos"
    shutil.copytree(drawn.photos, settings.DATA_DIR)
    write_version(settings.MODELS_DIR, "2026-01-01.1")
    make_version("2026-01-01.1", live=True)
    return settings


def by_manage(places, capsys):
    try:
        call_command("train_model")
    except CommandError as error:
        return error.returncode, str(error)
    return 0, ""


def by_module(places, capsys):
    folders = (f"--data={places.DATA_DIR}", f"--cache={places.VAR_DIR / 'features'}")
    status = main([f"--models={places.MODELS_DIR}", "train", *folders])
    return status, capsys.readouterr().err


# The second knows no database.
DOORS = [
    pytest.param(by_manage, id="manage.py train_model"),
    pytest.param(by_module, id="python -m ml train", marks=pytest.mark.once),
]


@pytest.fixture(params=DOORS)
def train(request, places, capsys):
    """Trains by one door, which must fail cleanly; gives the message."""
    before = content_of(places.MODELS_DIR)

    def run():
        status, message = request.param(places, capsys)
        assert status in (1, 2)
        assert "Traceback" not in message
        assert content_of(places.MODELS_DIR) == before
        assert [version.name for version in ModelVersion.objects.live()] == ["2026-01-01.1"]
        assert ModelVersion.objects.count() == 1
        return message

    return run


def content_of(folder):
    """Every file in it, hidden ones too, and its SHA-256."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def photos_of(places, label):
    return sorted((places.DATA_DIR / label).iterdir())


def test_an_empty_folder(train, places):
    shutil.rmtree(places.DATA_DIR)
    places.DATA_DIR.mkdir()

    assert "needs at least two sub-folders with photos" in train()


def test_one_label_alone(train, places):
    shutil.rmtree(places.DATA_DIR / "stripes")

    assert "Found photos for: rings." in train()


def test_a_label_with_one_photo(train, places):
    for path in photos_of(places, "stripes")[1:]:
        path.unlink()

    message = train()

    assert "'stripes' has 1 photo that can be used; at least 20 are needed" in message
    assert str(places.DATA_DIR / "stripes") in message


def test_photos_of_one_label_that_cannot_be_decoded(train, places):
    for number, path in enumerate(photos_of(places, "stripes")):
        path.write_bytes(b"no photo, but not empty either: %d" % number)

    assert "Found photos for: rings." in train()


def spoilt(path):
    """Bytes that are no photo, on the side of the split that the photo was on."""
    side = split_of(hashlib.sha256(path.read_bytes()).hexdigest())
    tries = (f"no photo {path.parent.name} {path.name} {n}".encode() for n in itertools.count())
    return next(t for t in tries if split_of(hashlib.sha256(t).hexdigest()) == side)


def test_no_photo_that_can_be_decoded(train, places):
    for label in ("rings", "stripes"):
        for path in photos_of(places, label):
            path.write_bytes(spoilt(path))

    assert re.search(r"None of \d+ photos can be decoded", train())


@pytest.mark.parametrize("label", ["neither", "unsure"])
def test_a_label_that_is_an_answer_of_its_own(train, places, label):
    (places.DATA_DIR / "stripes").rename(places.DATA_DIR / label)

    assert f"No label can be called {label!r}" in train()


def test_a_label_too_long_to_be_kept(train, places):
    (places.DATA_DIR / "stripes").rename(places.DATA_DIR / ("s" * 65))

    assert "at most 64 characters" in train()


def test_a_disk_too_full_for_features(train, places, tmp_path):
    places.VAR_DIR = tmp_path / "var"

    with limit_file_size(4096):
        message = train()

    assert "features.sqlite3 cannot be used: disk I/O error" in message


def test_a_disk_too_full_for_the_exported_network(train, places):
    fill_cache(places)

    with limit_file_size(1_000_000):
        message = train()

    assert "File too large" in message


def test_a_disk_too_full_for_the_version(train, places, monkeypatch):
    def refuse(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)

    assert "No space left on device" in train()


def interrupt(*_args, **_options):
    raise KeyboardInterrupt


def test_ctrl_c_while_looking_at_photos(train, places, monkeypatch, tmp_path):
    def some(rows, count, what):
        yield next(iter(rows))
        raise KeyboardInterrupt

    places.VAR_DIR = tmp_path / "var"
    monkeypatch.setattr(features, "progress", some)

    assert "Stopped" in train()


def test_ctrl_c_while_fitting(train, monkeypatch):
    monkeypatch.setattr(heads, "minimise", interrupt)

    assert "Stopped" in train()


def test_ctrl_c_while_saving(train, monkeypatch):
    write = Path.write_bytes

    def stop_at_the_card(path, content):
        if path.name == "card.json":
            raise KeyboardInterrupt
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", stop_at_the_card)

    assert "Stopped" in train()


def test_weights_that_are_not_those_that_were_published(train, monkeypatch, tmp_path):
    published = imagenet._weights_file(imagenet.architecture_named("efficientnet-lite0"))
    content = bytearray(published.read_bytes())
    content[len(content) // 2] ^= 1
    changed = tmp_path / published.name
    changed.write_bytes(content)
    monkeypatch.setattr(imagenet, "_weights_file", lambda _: changed)

    assert f"{changed.name} was changed: its SHA-256 begins with" in train()


def test_a_loss_that_is_not_a_number(train, monkeypatch):
    def to_nan(vectors, targets, l2):
        return lambda point: (np.nan, np.zeros_like(point))

    monkeypatch.setattr(heads, "_penalised_log_loss", to_nan)

    assert "The loss became nan" in train()


def test_training_parts_that_are_not_installed(train, monkeypatch):
    monkeypatch.setitem(sys.modules, "ml.training", None)

    assert "pip install -r requirements.txt" in train()


def fill_cache(places):
    """Features of all photos, whichever tests ran before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heads, "minimise", interrupt)
        with pytest.raises(CommandError, match="Stopped"):
            call_command("train_model")
