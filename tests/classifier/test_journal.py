"""What the database does not take is on disk until it does, and arrives once."""

import json
import os
import re
import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from classifier import database, journal, rows, spool, storage
from classifier.classify import classify_photo, erase_prediction
from classifier.models import Prediction, SpoolArrival
from feedback.consent import erase_all
from ml.inference import Answer
from ml.photos import decode_photo
from monitoring.models import HourlyAnswers
from monitoring.rollup import roll_up
from tests.limits import limit_file_size
from tests.make import make_version
from tests.photos import photo_bytes, photo_upload

PHOTO = decode_photo(photo_bytes())


@pytest.fixture(autouse=True)
def quiet():
    """What one test found out about the database is not true of the next one's."""
    yield
    journal._is_refused.clear()
    database._away.clear()
    database.attention.clear()


@pytest.fixture
def away():
    """The database does not answer, as far as this process knows."""
    database._away.set()


def row(**changes):
    """An answer that is nowhere yet."""
    row = Prediction.of(
        Answer("cat", {"cat": 0.75, "dog": 0.25}, novelty=1 / 3),
        PHOTO,
        version=changes.pop("version", None) or make_version(),
        person="visitor:someone",
        inference_ms=1.5,
        total_ms=1e-7,
    )
    for name, value in changes.items():
        setattr(row, name, value)
    return row


def spooled(number=1, **changes):
    rows = [row(**changes) for _ in range(number)]
    database._away.set()
    for each in rows:
        journal.log(each)
    database._away.clear()
    return rows


def values(prediction):
    return {
        field.attname: getattr(prediction, field.attname)
        for field in prediction._meta.concrete_fields
    }


def files(settings):
    return sorted(path.name for path in settings.SPOOL_DIR.iterdir())


def test_an_answer_is_stored_at_once(db, settings):
    prediction = row()

    journal.log(prediction)

    assert prediction.logged == "stored"
    assert values(Prediction.objects.get()) == values(prediction)
    assert not settings.SPOOL_DIR.exists()


def test_a_logged_row_is_like_one_that_the_orm_saved(db):
    ours, theirs = row(), row()

    journal.log(ours)
    theirs.save(force_insert=True)
    ours.keep_until = None
    ours.save()  # an update: it knows that it is there

    assert values(Prediction.objects.get(pk=ours.pk)) == values(ours)
    assert values(Prediction.objects.get(pk=theirs.pk)) == values(theirs)


def test_while_it_is_away_rows_wait_and_arrive_as_they_were(db):
    logged = spooled(3)

    assert [each.logged for each in logged] == ["spooled"] * 3
    assert not Prediction.objects.exists()
    assert journal.waiting() == 3
    assert timezone.now() - timedelta(minutes=1) < journal.oldest() < timezone.now()

    assert journal.drain() == 1

    assert journal.waiting() == 0
    assert journal.oldest() is None
    arrived = Prediction.objects.order_by("id")
    assert list(map(values, arrived)) == sorted(map(values, logged), key=lambda row: row["id"])


def test_the_api_answers_200_and_says_that_it_is_spooled(client, engine, away):
    response = client.post("/api/predict", {"image": photo_upload()})

    assert response.status_code == 200
    assert response.json()["logged"] == "spooled"
    assert "Location" not in response
    journal.drain()
    assert str(Prediction.objects.get().pk) == response.json()["id"]


def test_the_page_answers_too(client, engine, away):
    response = client.post("/classify/", {"photo": photo_upload()}, headers={"HX-Request": "true"})

    assert response.status_code == 200
    assert "It’s a cat" in response.text


def test_a_row_that_is_there_already_is_left_as_it_is(db):
    """Nobody could tell whether it was committed; then somebody changed it."""
    (prediction,) = spooled()
    rows.insert([prediction])
    Prediction.objects.update(keep_until=None)

    journal.drain()

    assert Prediction.objects.get().keep_until is None
    assert journal.rejected() == 0


def test_what_was_erased_between_commit_and_removal_stays_erased(db, monkeypatch, settings):
    spooled(2)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(type(settings.SPOOL_DIR), "unlink", die)
        journal.drain()
    Prediction.objects.first().delete()
    assert journal.waiting() == 2

    journal.drain()

    assert Prediction.objects.count() == 1
    assert journal.waiting() == 0


def die(*args, **kwargs):
    raise KeyboardInterrupt


def test_a_torn_last_line_is_nobody_s(db, settings):
    spooled(2)
    journal._writer.seal()
    (segment,) = settings.SPOOL_DIR.iterdir()
    with segment.open("ab") as file:
        file.write(b'{"id": "0199f3c2-6c1e')

    journal.drain()

    assert Prediction.objects.count() == 2
    assert files(settings) == []


@pytest.mark.parametrize("at_fault", [{"confidence": 2.0}, {"novelty": -1}, {"label": None}])
def test_a_row_that_can_never_be_inserted_goes_aside_alone(db, settings, at_fault):
    spooled(2)
    (wrong,) = spooled(**at_fault)
    spooled(2)

    journal.drain()

    assert Prediction.objects.count() == 4
    assert (journal.waiting(), journal.rejected()) == (0, 1)
    (path,) = spool.rejected(settings.SPOOL_DIR)
    assert json.loads(path.read_bytes())["id"] == str(wrong.pk)


def test_an_unknown_version_and_what_is_no_row_go_aside(db, settings):
    from classifier.models import ModelVersion
    from tests.make import make_card

    spooled(version=ModelVersion.from_card(make_card("unheard-of")))
    for line in (b"oops\n", b"[1]\n", b"{}\n", b"\xff\n", b"\n"):
        journal._writer.append(line)
    spooled()

    journal.drain()

    assert (Prediction.objects.count(), journal.rejected()) == (1, 6)

    make_version("unheard-of")
    (path,) = spool.rejected(settings.SPOOL_DIR)
    path.rename(path.with_suffix(".jsonl"))
    journal.drain()

    assert (Prediction.objects.count(), journal.rejected()) == (2, 5)


def test_a_file_that_another_process_writes_is_left_to_it(db, settings):
    spooled()
    writer = spool.Writer(lambda: settings.SPOOL_DIR)
    writer.append(rows.as_line(row()))

    journal.drain()
    assert (Prediction.objects.count(), journal.waiting()) == (1, 1)

    writer.seal()
    journal.drain()
    assert (Prediction.objects.count(), journal.waiting()) == (2, 0)


def test_a_row_from_before_a_migration_gets_the_defaults_of_what_it_lacks(db):
    prediction = row()
    told = json.loads(rows.as_line(prediction))
    del told["photo_is_kept"]
    journal._writer.append(json.dumps({**told, "of_old": 1}).encode() + b"\n")

    journal.drain()

    assert Prediction.objects.get().photo_is_kept


def test_files_are_changed_before_they_grow_long(db, settings, monkeypatch):
    monkeypatch.setattr(spool, "_MOST_LINES", 3)
    spooled(7)

    assert sorted(map(spool.count_lines, spool.segments(settings.SPOOL_DIR))) == [1, 3, 3]
    journal.drain()
    assert Prediction.objects.count() == 7


def test_threads_that_write_at_once_share_the_disk_and_lose_nothing(settings, monkeypatch):
    writer, synced = spool.Writer(lambda: settings.SPOOL_DIR), []
    together = threading.Barrier(8)

    def sync(descriptor):
        synced.append(descriptor)
        os.fsync(descriptor)

    def write(name):
        together.wait()
        for number in range(20):
            writer.append(f"{name} {number}\n".encode())

    monkeypatch.setattr(spool, "_sync_file", sync)
    threads = [threading.Thread(target=write, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (segment,) = spool.segments(settings.SPOOL_DIR)
    lines = segment.read_bytes().splitlines()
    assert sorted(lines) == sorted(f"{n} {i}".encode() for n in range(8) for i in range(20))
    assert len(synced) <= 160


def test_a_full_disk_cuts_nothing_in_half(settings):
    writer = spool.Writer(lambda: settings.SPOOL_DIR)
    writer.append(b"x" * 3000 + b"\n")

    with limit_file_size(4096), pytest.raises(OSError, match="File too large"):
        writer.append(b"y" * 3000 + b"\n")
    writer.append(b"z" * 10 + b"\n")

    (segment,) = spool.segments(settings.SPOOL_DIR)
    assert segment.read_bytes() == b"x" * 3000 + b"\n" + b"z" * 10 + b"\n"


def test_what_the_disk_did_not_confirm_is_given_up_with_its_file(settings, monkeypatch):
    writer = spool.Writer(lambda: settings.SPOOL_DIR)
    writer.append(b"first\n")

    def fail(descriptor):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="Input/output"):
        patch.setattr(spool, "_sync_file", fail)
        writer.append(b"second\n")
    writer.append(b"third\n")

    contents = sorted(path.read_bytes() for path in spool.segments(settings.SPOOL_DIR))
    assert contents == [b"first\n", b"third\n"]


def test_without_database_and_disk_there_is_no_answer(client, engine, away, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.SPOOL_DIR = tmp_path / "file"  # nothing can be written into a file

    response = client.post("/api/predict", {"image": photo_upload()})

    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert not Prediction.objects.exists()


def test_a_database_that_refuses_rows_is_left_alone_until_it_takes_some(
    db, engine, monkeypatch, caplog
):
    asked = []

    def refuse(found):
        asked.append(found)
        raise OperationalError("database or disk is full, says boss")

    with monkeypatch.context() as patch:
        patch.setattr(rows, "insert", refuse)
        logged = [classify_photo(PHOTO, person="visitor:someone") for _ in range(3)]
        with pytest.raises(OperationalError):
            journal.drain()
    assert [each.logged for each in logged] == ["spooled"] * 3
    assert len(asked) == 2  # the first answer, and the attempt in the background
    assert "boss" not in caplog.text

    assert classify_photo(PHOTO, person="visitor:someone").logged == "spooled"
    journal.drain()

    assert classify_photo(PHOTO, person="visitor:someone").logged == "stored"
    assert Prediction.objects.count() == 5


def test_one_row_at_fault_spools_no_other(db, monkeypatch):
    def refuse(found):
        raise IntegrityError("confidence_is_probability")

    with monkeypatch.context() as patch:
        patch.setattr(rows, "insert", refuse)
        journal.log(row(confidence=2.0))
    after = row()
    journal.log(after)

    assert after.logged == "stored"
    assert journal.waiting() == 1


def test_notes_of_arrivals_go_in_the_end(db, settings):
    spooled()
    journal.drain()
    assert SpoolArrival.objects.count() == 1
    SpoolArrival.objects.update(arrived_at=timezone.now() - timedelta(days=2))

    spooled()
    journal.drain()

    assert SpoolArrival.objects.count() == 1


def test_files_that_are_none_of_ours_are_left_alone(db, settings):
    settings.SPOOL_DIR.mkdir()
    (settings.SPOOL_DIR / "notes.jsonl").write_text("mine\n")

    assert (journal.waiting(), journal.drain()) == (0, 0)
    assert files(settings) == ["notes.jsonl"]


def another_process_writes(settings, prediction):
    """Its file is locked as long as the writer that is returned has it."""
    writer = spool.Writer(lambda: settings.SPOOL_DIR)
    writer.append(rows.as_line(prediction))
    return writer


def test_what_waits_is_not_said_to_be_unknown(client, engine, settings):
    prediction = row()
    writer = another_process_writes(settings, prediction)
    page = f"/predictions/{prediction.pk}/"
    said = {"prediction": str(prediction.pk), "correct": True}

    answers = [
        client.get(f"/api/predictions/{prediction.pk}"),
        client.delete(f"/api/predictions/{prediction.pk}"),
        client.get(f"/api/predictions/{prediction.pk}/receipt"),
        client.post("/api/feedback", said, content_type="application/json"),
    ]
    pages = [
        client.get(page),
        client.post(f"{page}erase/"),
        client.post(f"/feedback/{prediction.pk}/", {"correct": "true"}),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    for answer in pages:
        assert answer.status_code == 503
        assert "on its way" in answer.text
    writer.seal()
    journal.drain()
    assert client.get(f"/api/predictions/{prediction.pk}").status_code == 404  # another person's


def test_what_is_unknown_is_unknown_also_while_others_wait(client, engine):
    spooled()
    unknown = row().pk

    assert client.get(f"/api/predictions/{unknown}").status_code == 404
    assert client.get(f"/predictions/{unknown}/").status_code == 404
    assert client.get("/nowhere/").status_code == 404


def test_what_waits_can_be_erased(client, engine, away, settings):
    client.post("/classify/", {"photo": photo_upload()})
    database._away.clear()
    (prediction_id,) = re.findall(r'"id": "([-0-9a-f]+)"', waiting_text(settings))

    assert client.post(f"/predictions/{prediction_id}/erase/").status_code == 303
    journal.drain()

    assert not Prediction.objects.exists()
    assert journal.waiting() == 0


def waiting_text(settings):
    return "".join(path.read_text() for path in spool.segments(settings.SPOOL_DIR))


def test_an_erased_row_does_not_come_back_from_the_disk(db):
    """Its commit came through, and nobody could tell: it is stored, and waits as well."""
    (prediction,) = spooled()
    rows.insert([prediction])

    erase_prediction(Prediction.objects.get())
    journal.drain()

    assert not Prediction.objects.exists()


def test_all_of_a_person_s_is_erased_also_what_waits(db, settings):
    spooled(2)
    erase_all("visitor:someone")
    journal.drain()
    assert not Prediction.objects.exists()

    writer = another_process_writes(settings, row())
    with pytest.raises(journal.Waiting):
        erase_all("visitor:someone")
    erase_all("visitor:some")  # somebody else
    writer.seal()


def test_a_photo_stays_for_a_row_that_waits(db, photos_dir):
    storage.keep(PHOTO)
    spooled()
    (file,) = (path for path in photos_dir.rglob("*") if path.is_file())
    os.utime(file, (0, 0))

    assert not storage.erase(PHOTO.sha256, lambda: False)
    assert storage.forget_orphans(timezone.now()) == 0
    assert storage.read(PHOTO.sha256)

    journal.drain()
    Prediction.objects.all().delete()
    assert storage.forget_orphans(timezone.now()) == 1


def test_a_row_that_arrives_late_is_counted_in_the_hour_that_it_belongs_to(db):
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)
    rows.insert([row(created_at=hour)])
    roll_up()
    (summed,) = HourlyAnswers.objects.values_list("hour", "count")

    spooled(2, created_at=hour + timedelta(minutes=30))
    journal.drain()
    roll_up()

    assert summed == (hour, 1)
    assert list(HourlyAnswers.objects.values_list("hour", "count")) == [(hour, 3)]
