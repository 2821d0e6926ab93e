"""Each process that answers says so in the database, with its version and its problem."""

import os
import socket
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from classifier.models import Server
from classifier.presence import Presence

NOW = timezone.now()


def seconds(number):
    return NOW + timedelta(seconds=number)


@pytest.fixture
def writes(monkeypatch):
    """The versions that are written."""
    versions, write = [], type(Server.objects.all()).update_or_create

    def note(self, defaults, **which):
        versions.append(defaults["version"])
        return write(self, defaults, **which)

    monkeypatch.setattr(type(Server.objects.all()), "update_or_create", note)
    return versions


def test_a_server_says_which_version_it_answers_with(db):
    Presence().tell("1", "", NOW)

    server = Server.objects.get()
    assert (server.host, server.pid) == (socket.gethostname(), os.getpid())
    assert (server.version, server.problem, server.seen_at) == ("1", "", NOW)


def test_it_writes_at_each_change_and_every_20_seconds(db, writes):
    presence = Presence()

    for second, version, problem in [
        *((0, "1", ""), (2, "1", ""), (19, "1", "")),  # nothing new
        *((20, "1", ""), (21, "2", ""), (22, "2", "broken"), (24, "2", "broken")),
    ]:
        presence.tell(version, problem, seconds(second))

    assert writes == ["1", "1", "2", "2"]
    assert Server.objects.get().problem == "broken"


def test_a_server_not_heard_of_for_a_minute_is_gone(db):
    Presence().tell("1", "", NOW)

    assert Server.objects.alive(seconds(60)).exists()
    assert not Server.objects.alive(seconds(61)).exists()
    assert Server.objects.gone(seconds(61)).exists()


def test_servers_gone_for_an_hour_are_forgotten(db):
    for pid, seen in ((1, -3599), (2, -3601)):
        Server.objects.create(host="elsewhere", pid=pid, seen_at=seconds(seen))

    Presence().tell("1", "", NOW)

    assert set(Server.objects.values_list("pid", flat=True)) == {1, os.getpid()}


def test_a_process_that_starts_under_an_old_number_takes_its_row(db):
    Presence().tell("1", "broken", seconds(-100))

    presence = Presence()
    presence.tell("2", "", NOW)

    server = Server.objects.get()
    assert (server.version, server.problem) == ("2", "")
    assert server.started_at > seconds(-100)


def test_a_database_that_is_away_is_told_once_it_is_back(db, monkeypatch):
    presence = Presence()

    def away(*args, **kwargs):
        raise OperationalError("could not connect")

    with monkeypatch.context() as patch:
        patch.setattr(type(Server.objects.all()), "update_or_create", away)
        presence.tell("1", "", NOW)
    assert not Server.objects.exists()

    presence.tell("1", "", seconds(1))

    assert Server.objects.get().version == "1"


def test_a_server_that_leaves_is_not_listed_and_does_not_come_back(db):
    presence = Presence()
    presence.tell("1", "", NOW)

    presence.leave()
    presence.tell("1", "", seconds(60))  # its thread may be a moment late

    assert not Server.objects.exists()


def test_the_admin_lists_servers_and_changes_none(db, admin_client):
    Presence().tell("2026-01-01.1", "model.onnx cannot be read")

    page = admin_client.get("/admin/classifier/server/").text

    assert "model.onnx cannot be read" in page
    assert admin_client.get("/admin/classifier/server/add/").status_code == 403
