"""When a request is whole: how many bytes to wait for, and nothing else about what it means.

Gunicorn's parser alone decides that. Whatever could be read in two ways is `odd` here, and goes to
it as it came: it refuses what is wrong, and reads the rest by itself.
"""

import re
from dataclasses import dataclass

HEAD_MAX_BYTES = 16 * 1024
# A head comes in one piece, as a rule; a body may come over a slow line.
HEAD_SECONDS = 10.0
_GRACE_SECONDS = 10.0
_LEAST_BYTES_A_SECOND = 1024
# As long as the page itself waits for an answer.
BODY_SECONDS = 120.0

# Each line begins with a name: none is folded into the one before it, none ends in a bare LF.
_HEAD = re.compile(
    rb"([A-Z]{3,7}) (/[\x21-\x7e]*) HTTP/1\.[01]\r\n"
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\r\n\x00]*\r\n)*\r\n"
)
# What decides where a request ends, or that it is not the last word of this protocol.
_FRAMING = re.compile(
    rb"\r\n(content-length|transfer-encoding|expect|upgrade):[ \t]*([^\r\n]*)", re.IGNORECASE
)


@dataclass(frozen=True)
class Head:
    """The head of a request.

    Attributes:
        size: In bytes, with the empty line that ends it.
        method: As sent.
        target: As sent: a path, perhaps with a query.
        length: Of the body, in bytes.
        expects: Whether the client waits for `100 Continue` before it sends the body.
    """

    size: int
    method: bytes
    target: bytes
    length: int
    expects: bool


def read_head(data: bytes) -> Head | None:
    """Read a head up to its empty line.

    Returns:
        None where its end, or that of its body, is not beyond doubt.
    """
    line = _HEAD.fullmatch(data)
    if line is None:
        return None
    length, expects, seen = 0, False, set()
    for name, value in _FRAMING.findall(data):
        name, value = name.lower(), value.rstrip(b" \t")
        if name in seen:
            return None
        seen.add(name)
        if name == b"content-length" and value.isdigit() and len(value) < 16:
            length = int(value)
        elif name == b"expect" and value.lower() == b"100-continue":
            expects = True
        else:
            return None
    return Head(len(data), line[1], line[2], length, expects)


class Arriving:
    """A request as its bytes come in.

    Args:
        since: When its connection began to wait for it, in seconds of a monotonic clock.

    Attributes:
        head: None until all of it has come.
        is_odd: It is for gunicorn's parser to say what this is.
        is_dropped: Its body is counted and thrown away as it comes.
    """

    __slots__ = ("_buffer", "_searched", "head", "is_dropped", "is_odd", "received", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.head: Head | None = None
        self.is_odd = self.is_dropped = False
        self.received = 0
        self._buffer = bytearray()
        self._searched = 0

    def add(self, data: bytes | memoryview) -> None:
        """Take what has come."""
        self.received += len(data)
        if self.is_dropped:
            return
        self._buffer += data
        if self.head is None and not self.is_odd:
            self._look_for_the_head()

    def _look_for_the_head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        self._searched = len(self._buffer)
        if end >= 0:
            self.head = read_head(bytes(self._buffer[: end + 4]))
            self.is_odd = self.head is None
        else:
            # A head with bare line ends never gets to its end: the parser refuses it now.
            self.is_odd = self._buffer.count(b"\n") != self._buffer.count(b"\r\n")

    @property
    def is_too_long(self) -> bool:
        """Whether the head goes on beyond what any head needs."""
        size = self.head.size if self.head else len(self._buffer)
        return size > HEAD_MAX_BYTES and not self.is_odd

    @property
    def is_whole(self) -> bool:
        return self.head is not None and self.received >= self.head.size + self.head.length

    def drop(self) -> None:
        """Keep the head alone; what comes from now on is counted."""
        if self.head is None:
            raise ValueError("The head has not come yet.")
        self.is_dropped = True
        del self._buffer[self.head.size :]

    def is_late(self, now: float) -> bool:
        """Whether its sender takes longer than anyone who means it."""
        seconds = now - self.since
        if self.head is None:
            return seconds > HEAD_SECONDS
        least = (seconds - _GRACE_SECONDS) * _LEAST_BYTES_A_SECOND
        return seconds > BODY_SECONDS or self.received - self.head.size < least

    def take(self) -> tuple[bytes, bytes, bytes]:
        """The head, the body and what came after it; nothing is left here."""
        size = self.head.size if self.head else 0
        end = size if self.is_dropped else size + (self.head.length if self.head else 0)
        with memoryview(self._buffer) as view:
            parts = bytes(view[:size]), bytes(view[size:end]), bytes(view[end:])
        self._buffer = bytearray()
        return parts
