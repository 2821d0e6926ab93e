"""Threads for photos stand back behind all others, so that nothing else waits for a core."""

import os
import queue
import sys
import threading

import pytest

from catsdogs.threads import Threads


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def niceness_in(threads):
    found = queue.SimpleQueue()
    threads.submit(lambda conn: found.put(niceness()), None)
    return found.get(timeout=60)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no niceness")
def test_those_that_stand_back_do_so_alone():
    before = niceness()

    assert niceness_in(Threads(1, "nice", lambda conn, keeps: None, niceness=3)) == min(
        before + 3, 19
    )
    assert niceness_in(Threads(1, "plain", lambda conn, keeps: None)) == before
    assert niceness() == before


def test_where_that_is_forbidden_they_work_all_the_same(monkeypatch):
    def forbid(*_):
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbid)

    assert niceness_in(Threads(1, "nice", lambda conn, keeps: None, niceness=3)) == niceness()
