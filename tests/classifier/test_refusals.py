"""Refused photos are counted by minute and cause, whatever else is wrong."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import OperationalError, transaction

from classifier import refusals, serving
from classifier.models import RefusalCount
from classifier.refusals import Pending, count_refusal, write_pending
from tests.photos import photo_upload

NOON = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def pending(monkeypatch):
    """Counts of this test alone."""
    pending = Pending()
    monkeypatch.setattr(refusals, "_pending", pending)
    return pending


def counted():
    assert write_pending()
    return dict(RefusalCount.objects.values_list("code", "count"))


def test_the_page_and_the_api_count_the_same(client, engine):
    client.post("/classify/", {"photo": photo_upload(b"oops")})
    client.post("/api/predict", {"image": photo_upload(b"oops")})

    assert counted() == {"unsupported_format": 2}


@pytest.mark.parametrize(
    ("path", "data", "code"),
    [
        ("/classify/", {}, "missing_image"),
        ("/classify/", {"photo": photo_upload(b"")}, "empty_file"),
        ("/api/predict", {}, "missing_image"),
        ("/api/predict", {"image": photo_upload(b"\xff\xd8\xffoops")}, "broken_image"),
        ("/api/predict/batch", {}, "missing_image"),
    ],
)
def test_each_cause_has_its_count(client, engine, path, data, code):
    client.post(path, data)

    assert counted() == {code: 1}


def test_a_bad_photo_in_a_batch_is_counted_alone(client, engine):
    photos = [photo_upload(), photo_upload(b"oops"), photo_upload(b"")]

    client.post("/api/predict/batch", {"image": photos})

    assert counted() == {"unsupported_format": 1, "empty_file": 1}


def test_an_answer_is_no_refusal(client, engine):
    client.post("/api/predict", {"image": photo_upload()})

    assert counted() == {}


@pytest.mark.parametrize("path", ["/api/nothing", "/api/predictions/1", "/nothing"])
def test_a_wrong_address_is_no_refusal(client, engine, path):
    client.get(path)

    assert counted() == {}


@pytest.mark.parametrize(
    ("path", "field"), [("/classify/", "photo"), ("/api/predict", "image")], ids=["page", "API"]
)
def test_no_version_to_answer_is_counted(client, engine, monkeypatch, path, field):
    monkeypatch.setattr(serving, "_live", serving.LiveEngine())
    serving.ModelVersion.objects.update(is_live=False)

    assert client.post(path, {field: photo_upload()}).status_code == 503
    assert counted() == {"no_live_model": 1}


def test_a_database_that_is_away_is_waited_for(client, engine, monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError("gone")

    with monkeypatch.context() as away:
        away.setattr("classifier.classify.ModelVersion.from_card", refuse)
        away.setattr(refusals, "_add", refuse)
        response = client.post("/api/predict", {"image": photo_upload()})
        assert response.status_code == 503
        assert not write_pending()

    assert counted() == {"database_unavailable": 1}


def test_a_refusal_asks_nothing_of_the_database(client, engine, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.post("/api/predict", {"image": photo_upload(b"oops")})


def test_minutes_are_kept_apart_and_servers_add_up(db):
    count_refusal("too_large", now=NOON.replace(second=1))
    count_refusal("too_large", now=NOON.replace(second=59))
    write_pending()
    another_server = Pending()
    another_server.add(NOON, "too_large", 5)
    another_server.write()
    count_refusal("too_large", now=NOON.replace(minute=1))
    write_pending()

    rows = RefusalCount.objects.order_by("minute").values_list("minute", "code", "count")

    assert list(rows) == [(NOON, "too_large", 7), (NOON.replace(minute=1), "too_large", 1)]


def test_two_servers_that_make_the_same_row_at_once_both_count(db, monkeypatch):
    def be_late():
        RefusalCount.objects.create(minute=NOON, code="too_large", count=10)
        return transaction.atomic()

    monkeypatch.setattr(refusals, "transaction", SimpleNamespace(atomic=be_late))
    count_refusal("too_large", now=NOON)

    assert counted() == {"too_large": 11}


def test_what_was_written_is_not_written_again(db):
    count_refusal("too_large", now=NOON)

    assert counted() == counted() == {"too_large": 1}


def test_memory_is_bounded_while_the_database_is_away(pending, monkeypatch):
    monkeypatch.setattr(refusals, "_MOST_PENDING", 3)

    for minute in range(10):
        count_refusal("too_large", now=NOON.replace(minute=minute))
    count_refusal("too_large", now=NOON)

    assert len(pending._counts) == 3
    assert pending._counts[(NOON, "too_large")] == 2


def test_what_fails_in_an_unforeseen_way_is_kept_and_told(db, pending, monkeypatch, caplog):
    def break_down(*args):
        raise RuntimeError("nobody foresaw this")

    pending.add(NOON, "too_large")
    pending.add(NOON, "empty_file")
    with monkeypatch.context() as broken:
        broken.setattr(refusals, "_add", break_down)
        broken.setattr(refusals, "connection", SimpleNamespace(close=lambda: None))
        assert not refusals._write_in_background()

    assert "could not be written" in caplog.text
    assert counted() == {"too_large": 1, "empty_file": 1}


def test_other_codes_are_not_counted(pending):
    count_refusal("not_found")
    count_refusal("x" * 1000)

    assert pending._counts == {}
