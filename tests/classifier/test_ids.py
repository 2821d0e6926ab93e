"""Identifiers sort by a quarter of a microsecond, and nobody can guess them."""

import time
import uuid

from classifier.ids import uuid7

NOON = 1_790_000_000_123_000_000  # nanoseconds, on a full millisecond


def at(monkeypatch, nanoseconds):
    monkeypatch.setattr(time, "time_ns", lambda: nanoseconds)
    return uuid7()


def test_those_of_one_millisecond_sort_by_its_parts(monkeypatch):
    made = [at(monkeypatch, NOON + 250 * step) for step in range(4_000)]

    assert sorted(made) == made
    assert {each.int >> 80 for each in made} == {NOON // 1_000_000}


def test_they_are_what_the_standard_says(monkeypatch):
    for nanoseconds in (NOON, NOON + 999_999):
        made = at(monkeypatch, nanoseconds)
        assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_at_one_instant_they_still_differ(monkeypatch):
    assert len({at(monkeypatch, NOON) for _ in range(1_000)}) == 1_000
