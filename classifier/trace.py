"""What is known of the request that is being answered: its id, who asks, what it took."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from classifier.ids import uuid7

HEADER = "X-Request-ID"
# Also in a log: no spaces, no line ends, nothing to be parsed.
_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass
class Trace:
    """One request, as its line in the log tells of it.

    Attributes:
        request_id: Ours, or the caller's where it is sane; empty outside a request.
        person: What kind of person asks, as `classifier.callers.person_of` has it: never who.
        version: The version that answered, where one did.
        decode_ms: Milliseconds in decoding, of all photos of the request.
        inference_ms: Milliseconds in the network, likewise.
        refusals: A code for each photo refused.
    """

    request_id: str
    person: str = ""
    version: str = ""
    decode_ms: float = 0.0
    inference_ms: float = 0.0
    refusals: list[str] = field(default_factory=list)


_current: ContextVar[Trace | None] = ContextVar("classifier.trace", default=None)


def current() -> Trace:
    """The trace of the request that this thread answers; outside of one, what is noted is lost."""
    return _current.get() or Trace("")


@contextmanager
def begin(claimed_id: str = "") -> Iterator[Trace]:
    """Trace what happens within.

    Args:
        claimed_id: The id that the caller gave the request; another one is made if it is not sane.
    """
    is_sane = _SANE.fullmatch(claimed_id) is not None
    token = _current.set(Trace(claimed_id if is_sane else str(uuid7())))
    try:
        yield current()
    finally:
        _current.reset(token)
