"""The benchmark of swapping counts what failed and who was late."""

import math

from benchmarks.swapping import Asked, _figures, _followed


def asked(*versions, problem=""):
    """A request a second, of half a second each."""
    return [Asked(second, second + 0.5, name, problem) for second, name in enumerate(versions)]


def test_a_swap_is_followed_when_the_last_old_answer_has_begun():
    assert _followed(asked("old", "new", "old", "new", "new"), "new", committed=0) == 2


def test_a_swap_that_nobody_notices_is_never_followed():
    assert _followed(asked("old", "old"), "new", committed=0) == math.inf


def test_failed_requests_are_counted_and_not_timed():
    figures = _figures([*asked("new", "new"), *asked("", problem="503")])

    assert (figures["requests"], figures["failed"], figures["problems"]) == (3, 1, ["503"])
    assert figures["longest_ms"] == 500
