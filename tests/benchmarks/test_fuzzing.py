"""The driver of a long fuzzing run: it counts, goes on where it was, and notices a dead child."""

import json
import os
import signal
import subprocess
import sys
import time

from benchmarks.fuzzing import Tally, decode_one, one_process
from tests.mutants import mutant


def run(*options):
    command = [sys.executable, "-m", "benchmarks.fuzzing", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def die(first, last, current, reports):
    """What a decoder's bad pointer does."""
    current.value = first + 3
    os.kill(os.getpid(), signal.SIGSEGV)


def test_a_run_that_was_cut_short_goes_on_where_it_was(tmp_path):
    figures = tmp_path / "figures.json"

    assert run("--inputs", "30", "--to", figures).returncode == 0
    assert run("--inputs", "50", "--to", figures).returncode == 0

    told = json.loads(figures.read_text())
    assert (told["inputs"], told["heic"], told["failures"]) == (50, 1, [])
    assert sum(told["outcomes"].values()) == 50
    assert told["slowest_ms"] > 0


def test_a_dead_process_is_noted_with_its_input_and_the_next_one_follows():
    (told,) = one_process(10, 20, time.monotonic() + 300, die)

    assert told.inputs == 14
    assert told.failures == [(13, f"died with exit status {-signal.SIGSEGV}")]


def test_what_must_not_come_out_is_noted(monkeypatch):
    def leak(data):
        raise OSError("not a PhotoError")

    tally = Tally()
    monkeypatch.setattr("benchmarks.fuzzing.decode_photo", leak)
    decode_one(7, tally)

    assert tally.failures == [(7, "OSError('not a PhotoError')")]


def test_an_input_is_always_the_same():
    assert [mutant(seed) for seed in range(50)] == [mutant(seed) for seed in range(50)]
