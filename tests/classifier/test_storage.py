import os
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from classifier import journal, storage
from classifier.classify import classify_photo
from classifier.models import Prediction
from ml.photos import decode_photo
from tests.limits import limit_file_size
from tests.make import make_prediction
from tests.photos import photo_bytes, photo_upload

YESTERDAY = timezone.now() - timedelta(days=1)


@pytest.fixture
def photo():
    photo = decode_photo(photo_bytes())
    storage.keep(photo)
    return photo


def files(photos_dir):
    return [path for path in photos_dir.rglob("*") if path.is_file()]


def test_a_kept_photo_is_read_as_it_came(photo):
    assert storage.read(photo.sha256) == photo.data


def test_keeping_twice_keeps_once(photo, photos_dir):
    storage.keep(photo)

    assert len(files(photos_dir)) == 1


def test_a_full_disk_leaves_nothing_half_written(photos_dir, caplog):
    photo = decode_photo(photo_bytes(size=(600, 400), format="JPEG", quality=100) + bytes(100_000))

    with limit_file_size(50_000), pytest.raises(storage.NotKept, match="There is no room"):
        storage.keep(photo)

    assert files(photos_dir) == []
    assert "File too large" in caplog.text


def test_a_full_disk_is_a_503_in_words_and_no_row(client, engine, photos_dir):
    with limit_file_size(10):
        response = client.post("/api/predict", {"image": photo_upload()})
        page = client.post("/classify/", {"photo": photo_upload()}, headers={"HX-Request": "true"})

    assert (response.status_code, response.json()["code"]) == (503, "storage_full")
    assert response["Retry-After"]
    assert page.status_code == 503
    assert "no room to keep the photo" in page.text
    assert files(photos_dir) == []
    assert not Prediction.objects.exists()


def test_a_folder_that_cannot_be_written_to_is_told_apart_from_a_full_one(settings, tmp_path):
    (tmp_path / "file").touch()
    settings.PHOTOS_DIR = tmp_path / "file"

    with pytest.raises(storage.NotKept, match="not possible"):
        storage.keep(decode_photo(photo_bytes()))


def test_a_photo_that_a_power_cut_shortened_is_kept_anew(photo, photos_dir):
    (path,) = files(photos_dir)
    os.truncate(path, 10)

    storage.keep(photo)

    assert storage.read(photo.sha256) == photo.data


def test_each_photo_is_made_safe_from_power_cuts_where_that_is_wanted(settings, monkeypatch):
    synced, sync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(sync(file)))

    storage.keep(decode_photo(photo_bytes()))
    assert synced == []

    settings.PHOTO_SYNC = True
    storage.keep(decode_photo(photo_bytes(size=(8, 8))))
    assert len(synced) == 2  # the file, and its name in the folder


def test_a_photo_whose_end_date_has_passed_is_erased_and_its_prediction_stays(db, photo):
    prediction = make_prediction(photo=photo, keep_until=YESTERDAY)

    assert storage.forget_expired() == 1

    prediction.refresh_from_db()
    assert not prediction.photo_is_kept
    assert storage.read(photo.sha256) is None


def test_a_photo_before_its_end_date_stays(db, photo):
    make_prediction(photo=photo)

    assert storage.forget_expired() == 0
    assert storage.read(photo.sha256)


@pytest.mark.parametrize("other_end", [None, timezone.now() + timedelta(days=1)])
def test_a_photo_that_someone_else_sent_later_or_lent_stays(db, photo, other_end):
    make_prediction(photo=photo, keep_until=YESTERDAY)
    make_prediction(photo=photo, keep_until=other_end)

    assert storage.forget_expired() == 0
    assert storage.read(photo.sha256)


def test_a_photo_that_is_wanted_at_the_last_look_stays(photo, photos_dir):
    assert not storage.erase(photo.sha256, lambda: True)

    assert storage.read(photo.sha256) == photo.data
    assert len(files(photos_dir)) == 1


def test_a_photo_stays_when_the_database_cannot_be_asked(photo):
    def fail():
        raise OperationalError("away")

    with pytest.raises(OperationalError):
        storage.erase(photo.sha256, fail)
    assert storage.read(photo.sha256) == photo.data


@pytest.mark.parametrize("wanted", [True, False])
def test_an_erasing_cut_short_is_ended_by_pruning(db, photo, photos_dir, wanted):
    if wanted:
        make_prediction(photo=photo)
    path = photos_dir / photo.sha256[:2] / photo.sha256[2:4] / photo.sha256
    aside = path.rename(path.with_name(f".erasing-{photo.sha256}"))
    os.utime(aside, (0, 0))

    storage.forget_orphans(YESTERDAY)

    assert storage.read(photo.sha256) == (photo.data if wanted else None)
    assert not aside.exists()


def test_a_photo_is_out_of_sight_before_the_last_look(photo):
    seen = []

    storage.erase(photo.sha256, lambda: seen.append(storage.read(photo.sha256)) or False)

    assert seen == [None]


def test_erasing_what_is_not_there_is_harmless(photos_dir):
    assert storage.erase("0" * 64, lambda: False)


def test_a_photo_erased_while_its_answer_is_logged_is_kept_anew(engine, photo, monkeypatch):
    log = journal.log

    def log_late(prediction):
        storage.erase(photo.sha256, lambda: False)  # nobody's row speaks for it yet
        log(prediction)

    monkeypatch.setattr(journal, "log", log_late)

    with_row = classify_photo(photo, person="visitor:someone")

    assert storage.read(with_row.photo_sha256) == photo.data


def test_pruning_removes_orphans_and_leaves_fresh_ones(db, photo, photos_dir, capsys):
    old = photos_dir / "ab" / "cd" / ".keeping-interrupted"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"half")
    os.utime(old, (0, 0))

    call_command("prune_photos")

    assert not old.exists()
    assert storage.read(photo.sha256)  # no row yet, but younger than a day
    assert "1 orphans" in capsys.readouterr().out


def test_pruning_twice_is_harmless(db, photo):
    make_prediction(photo=photo, keep_until=YESTERDAY)

    assert [storage.forget_expired(), storage.forget_expired()] == [1, 0]
    assert Prediction.objects.count() == 1
