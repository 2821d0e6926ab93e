"""Who waits for PostgreSQL gives up in time, and never for a reason that nobody foresaw."""

import contextlib
import os
import select
import time

import psycopg2
import pytest
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE

from classifier import database


@pytest.fixture(autouse=True)
def quiet(settings):
    settings.DATABASE_DEADLINE = 0.2
    yield
    database._away.clear()
    database.attention.clear()
    database.be_patient(False)


class Asked:
    """A connection as far as waiting goes: a pipe that is written to, or not."""

    def __init__(self, *states, file=None):
        self.states = list(states)
        self.ours, self.theirs = os.pipe()
        self.file = self.ours if file is None else file

    def poll(self):
        return self.states.pop(0)

    def fileno(self):
        return self.file

    def __del__(self):
        os.close(self.ours)
        os.close(self.theirs)


def test_an_answer_that_comes_is_taken():
    asked = Asked(POLL_READ, POLL_READ, POLL_OK)
    os.write(asked.theirs, b"x")

    database._wait(asked)

    assert asked.states == []
    assert not database.attention.is_set()


def test_what_can_be_sent_is_sent():
    asked = Asked(POLL_WRITE, POLL_OK)
    asked.file = asked.theirs

    database._wait(asked)

    assert asked.states == []


def test_no_answer_is_waited_for_until_the_limit_and_has_the_database_looked_at():
    began = time.monotonic()

    with pytest.raises(psycopg2.OperationalError, match="did not answer in time"):
        database._wait(Asked(POLL_READ))

    assert time.monotonic() - began >= 0.2
    assert database.attention.is_set()


def test_a_patient_one_waits_for_longer_but_has_it_looked_at():
    began = time.monotonic()

    with database.patiently(), pytest.raises(psycopg2.OperationalError):
        database._wait(Asked(POLL_READ))

    assert time.monotonic() - began >= 2.0
    assert database.attention.is_set()


def test_one_in_a_hurry_waits_no_longer_than_it_likes(settings):
    settings.DATABASE_DEADLINE = 30.0

    for how in (contextlib.nullcontext, database.patiently):
        with how(), database.at_most(0.1), pytest.raises(psycopg2.OperationalError):
            database._wait(Asked(POLL_READ))

    assert database._limit() == 30.0
    assert not database.attention.is_set()  # too early to say that it stands still


def test_while_it_stands_still_nobody_waits():
    database._away.set()
    asked = Asked(POLL_READ)

    with pytest.raises(psycopg2.OperationalError):
        database._wait(asked)

    assert asked.states == [POLL_READ]  # not even asked


def test_a_connection_that_is_cut_between_two_looks_is_an_error_of_the_database():
    with pytest.raises(psycopg2.OperationalError, match="was lost"):
        database._wait(Asked(POLL_READ, file=-1))

    with pytest.raises(ValueError, match="negative"):  # what it would be otherwise
        select.poll().register(-1)
