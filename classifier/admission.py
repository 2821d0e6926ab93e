"""Who is let in when more photos come than can be looked at, and how the rest is told.

The server that reads the requests decides, before any of Django sees them (`catsdogs.worker`). What
it turns away it marks here, for the thread that is to answer; `catsdogs.door` reads the mark.
"""

import threading
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from ml.sentences import Sentence

# What asks the network, by method and the end of its address: a site may live under a prefix.
_PHOTOS = {
    (b"POST", b"/api/predict"): "api-predict",
    (b"POST", b"/api/predict/batch"): "api-predict-batch",
    (b"POST", b"/classify/"): "classify",
    (b"GET", b"/explanation"): "api-explanation",
    (b"GET", b"/why/"): "why",
    (b"GET", b"/heat/"): "heat",
}
_METHODS = {method for method, _ in _PHOTOS}
OVERLOADED_WORDS = Sentence(
    "More photos come in than can be looked at. Please try again in a few seconds."
)
# Where a path ends: at its query, and at what a client should have kept to itself.
_ENDS = (b"?", b"#")


@dataclass(frozen=True)
class Refusal:
    """Why a request is turned away unread.

    Attributes:
        code: Of the contract.
        status: HTTP's.
        detail: For the person who reads it.
        retry_after: Seconds after which it may go better; None: it will not.
    """

    code: str
    status: int
    detail: Sentence
    retry_after: int | None = None


def overloaded(seconds: float) -> Refusal:
    """More photos wait than can be answered in time.

    Args:
        seconds: How long this one would have to wait.
    """
    return Refusal(
        "overloaded",
        503,
        OVERLOADED_WORDS,
        max(1, round(seconds)),
    )


def too_large(size: int, limit: int) -> Refusal:
    """More bytes than a photo may have."""
    return Refusal(
        "too_large",
        413,
        Sentence(
            "The request has %(size)s MB; a photo may have %(most)s MB.",
            size=size / 1e6,
            most=round(limit / 1e6),
        ),
    )


def photo_route(method: bytes, target: bytes) -> str:
    """The name of the address, where a photo is to be looked at; else an empty string.

    Args:
        method: As in the request's first line.
        target: Likewise.
    """
    if method not in _METHODS:
        return ""
    path = target
    for end in _ENDS:
        path = path.partition(end)[0]
    if b"%" in path:
        path = unquote_to_bytes(path)
    for (wanted, ending), name in _PHOTOS.items():
        if method == wanted and path.endswith(ending):
            return name
    return ""


class _Marks(threading.local):
    refusal: Refusal | None = None


_marks = _Marks()


def mark(refusal: Refusal | None) -> None:
    """Say what becomes of the request that this thread answers next; None: it is let in."""
    _marks.refusal = refusal


def marked() -> Refusal | None:
    """What was said of the request that this thread answers."""
    return _marks.refusal
