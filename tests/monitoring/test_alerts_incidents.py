"""Simulated incidents: the right alert and no other, told once, over once; and a quiet week."""

from datetime import timedelta

import pytest

from monitoring import alerts, rollup
from monitoring.incidents import Incident, Message
from monitoring.rules import rules
from tests.make import make_version
from tests.monitoring.sinks import chat_server, mail_server, send_to
from tests.monitoring.world import (
    AFTERNOON,
    DAY,
    HOUR,
    MINUTE,
    World,
    a_dog,
    a_stranger,
    by_daylight,
    dark,
    slow,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def inbox():
    with mail_server() as inbox:
        yield inbox


@pytest.fixture
def chat():
    with chat_server() as chat:
        yield chat


@pytest.fixture
def told(settings, tmp_path, inbox, chat):
    settings.VAR_DIR = tmp_path
    send_to(settings, inbox, chat)
    return inbox


@pytest.fixture
def world(monkeypatch):
    """Two ordinary days up to the afternoon, summed up."""
    world = World(monkeypatch)
    world.people(AFTERNOON - 2 * DAY, AFTERNOON - DAY, 60)
    world.people(AFTERNOON - DAY, AFTERNOON, 90)
    rollup.roll_up(AFTERNOON)
    return world


class Clock:
    """Checks once a minute, as a server does."""

    def __init__(self, now):
        self.now = now
        self.first_wrong = None
        self.found = set()

    def check(self):
        findings = alerts.check(self.now, database_answers=lambda: True)
        self.found |= {finding.rule for finding in findings}
        self.first_wrong = self.first_wrong or (self.now if findings else None)
        self.now += MINUTE

    def check_until(self, is_so, most):
        for _ in range(most):
            self.check()
            if is_so():
                return
        raise AssertionError(f"not after {most} checks")


def slow_model(world, begin, end):
    world.people(begin, end, alter=slow)


def a_bad_version(world, begin, end):
    """It goes live, and half of what it says is wrong."""
    before = world.version
    world.version = make_version("2025-03-12.1", created=begin.isoformat())
    world.version.promote()
    world.people(begin, end, agree=0.55, opinions=0.2)
    world.version = before


def camera_gone_dark(world, begin, end):
    world.people(begin, end, alter=dark)


def only_dogs(world, begin, end):
    world.people(begin, end, alter=a_dog)


def strangers(world, begin, end):
    world.people(begin, end, alter=a_stranger)


def broken_files(world, begin, end):
    world.people(begin, end)
    world.refused(begin, end, 20 * int((end - begin) / MINUTE))


def nobody(world, begin, end):
    """On the last days there were people at this hour."""
    for days in range(3, 8):
        world.people(begin - HOUR - days * DAY, begin + HOUR - days * DAY, 150)
    world.people(begin - DAY, end - DAY, 150)


# The rule that is to fire, what happens, and after how many minutes somebody is told at the latest:
# what lasts an hour here needs so many photos, which a busier site has in minutes.
INCIDENTS = {
    "slow": (slow_model, 3),
    "refusals": (broken_files, 5),
    "quiet": (nobody, 18),
    "unsure": (strangers, 30),
    "drift": (camera_gone_dark, 45),
    "labels": (only_dogs, 50),
    "agreement": (a_bad_version, 70),
}


@pytest.mark.parametrize("rule", INCIDENTS)
def test_the_right_alert_and_no_other_is_told_once_and_is_over_once(world, told, chat, rule):
    happens, minutes = INCIDENTS[rule]
    back = AFTERNOON + 90 * MINUTE
    happens(world, AFTERNOON, back)
    clock = Clock(AFTERNOON)

    clock.check_until(lambda: told.mails, most=minutes)
    assert clock.now - MINUTE - clock.first_wrong == MINUTE  # at the second check that could see it
    for _ in range(5):
        clock.check()
    assert clock.found == {rule}
    assert told.subjects == [f"[catsdogs] Warning: {rules()[rule].title}"]

    world.version.promote()
    world.people(back, back + 5 * HOUR)
    clock.now = back + 4 * HOUR
    for _ in range(rules()[rule].calm + 5):
        clock.check()
    assert clock.found == {rule}
    assert told.subjects[1:] == [f"[catsdogs] Over: {rules()[rule].title}"]
    assert len(chat.texts) == 2
    assert Incident.objects.get().over_at
    assert Message.objects.unsent().count() == 0


def test_in_a_quiet_week_nothing_is_wrong_at_any_moment(monkeypatch):
    world = World(monkeypatch, seed=2)
    begin = AFTERNOON - 14 * DAY
    world.people(begin, AFTERNOON, by_daylight)
    rollup.roll_up(AFTERNOON)

    found, now = [], AFTERNOON - 7 * DAY
    while now < AFTERNOON:
        found += alerts.evaluate(now, database_answers=lambda: True)
        now += timedelta(minutes=41)

    assert found == []
