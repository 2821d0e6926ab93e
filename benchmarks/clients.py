"""Clients that ask a server as fast as it answers, from one thread, as cheaply as can be.

They share the machine's cores with the server, so their own CPU is counted and kept small: one
selector, connections that stay open, requests that are ready before they are sent. Each client
sends its next photo when it has its answer (a closed loop). A server that says 503 is obeyed: the
same photo is sent again after `Retry-After`.
"""

import heapq
import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

from benchmarks.photos import CONTENT_TYPES, Upload

_ACCEPTED = (200, 201)
_BOUNDARY = b"------------------------photograph"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RETRY = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_ID = re.compile(rb'"id": ?"([0-9a-f-]{36})"')
# Seconds; where a server says nothing for so long, the round is broken off.
_SILENCE = 60
# And after so long a connection that nobody took is tried again.
_AWAY = 0.2
# Numbers that no earlier round of this process has given a photo.
_numbers = count(1)

Parts = tuple[bytes, ...]


@dataclass
class Heard:
    """What the clients of one round heard.

    Attributes:
        latencies: Seconds from the first byte sent to the last one read, of accepted photos.
        statuses: How often each status came, the refused ones (503) included.
        ids: Of the predictions that the server acknowledged.
        dropped: Connections that ended without an answer, were not taken, or waited a minute.
        seconds: Wall time of the round.
        cpu: Seconds of CPU of the clients.
        problems: The first bodies of unforeseen statuses.
    """

    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    ids: list[str] = field(default_factory=list)
    dropped: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def photos(self) -> int:
        """How many were answered."""
        return len(self.latencies)


def raw_body(upload: Upload, number: int) -> tuple[str, Parts]:
    """A photo as the body itself: its content type and parts."""
    return CONTENT_TYPES[upload.format], upload.parts(number)


def form(upload: Upload, number: int) -> tuple[str, Parts]:
    """A photo as the field `image` of a form, as browsers and curl send it."""
    head = (
        b"--" + _BOUNDARY + b'\r\nContent-Disposition: form-data; name="image"; filename="photo.'
        + upload.format.lower().encode() + b'"\r\nContent-Type: '
        + CONTENT_TYPES[upload.format].encode() + b"\r\n\r\n"
    )  # fmt: skip
    tail = b"\r\n--" + _BOUNDARY + b"--\r\n"
    return f"multipart/form-data; boundary={_BOUNDARY.decode()}", (
        head,
        *upload.parts(number),
        tail,
    )


BODIES: dict[str, Callable[[Upload, int], tuple[str, Parts]]] = {"raw": raw_body, "form": form}


def ask(
    url: str,
    photos: Sequence[Upload],
    *,
    clients: int,
    number: int,
    seconds: float,
    body: str = "raw",
    headers: str = "",
) -> Heard:
    """Send photos from a number of clients at once until all are answered, or time is over.

    Args:
        url: Where photos are posted to.
        photos: Sent in turn, from the first one.
        clients: Connections; each waits for its answer before it sends the next photo.
        number: How many photos to send in all.
        seconds: No photo is sent after so long; those on their way are waited for.
        body: One of `BODIES`.
        headers: Further header lines, each ended by CRLF.
    """
    return _Load(url, photos, number, seconds, body, headers).run(clients)


class _Client:
    """One connection, and what is on its way there and back."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.request: Parts = ()
        self.unsent = memoryview(b"")
        self.began = 0.0
        self.answer = bytearray()
        self.ends_at = 0  # the answer's length, once its header is there


class _Load:
    def __init__(
        self,
        url: str,
        photos: Sequence[Upload],
        number: int,
        seconds: float,
        body: str,
        headers: str,
    ) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{headers}".encode()
        self._photos, self._left, self._body = photos, number, BODIES[body]
        self._sent = 0
        self._until = time.perf_counter() + seconds
        self._selector = selectors.DefaultSelector()
        self._later: list[tuple[float, int, _Client]] = []  # a heap of those told to come back
        self._heard = Heard()
        self._busy = 0

    def run(self, clients: int) -> Heard:
        cpu, started = time.process_time(), time.perf_counter()
        everyone = [_Client() for _ in range(min(clients, self._left))]
        for client in everyone:
            self._next(client)
        while self._busy or self._later:
            self._turn()
        self._heard.seconds = time.perf_counter() - started
        self._heard.cpu = time.process_time() - cpu
        for client in everyone:
            self._hang_up(client)
        self._selector.close()
        return self._heard

    def _turn(self) -> None:
        """Serve whoever can send or read; wake those whose time to come back has come."""
        timeout: float = _SILENCE
        if self._later:
            timeout = max(0.0, self._later[0][0] - time.perf_counter())
        ready = self._selector.select(timeout)
        for key, events in ready:
            (self._send if events & selectors.EVENT_WRITE else self._read)(key.data)
        if not ready and not self._later:  # the server has gone silent
            for client in [key.data for key in self._selector.get_map().values()]:
                self._drop(client)
        while self._later and self._later[0][0] <= time.perf_counter():
            self._begin(heapq.heappop(self._later)[2])

    def _next(self, client: _Client) -> None:
        """Let a client send another photo, if one is left."""
        if not self._left or time.perf_counter() > self._until:
            return
        self._left -= 1
        upload = self._photos[self._sent % len(self._photos)]
        self._sent += 1
        content_type, parts = self._body(upload, next(_numbers))
        length = sum(map(len, parts))
        head = b"%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
        client.request = (head % (self._head, content_type.encode(), length), *parts)
        self._begin(client)

    def _begin(self, client: _Client) -> None:
        self._busy += 1
        client.answer.clear()
        client.ends_at = 0
        client.began = time.perf_counter()
        client.unsent = memoryview(b"".join(client.request))
        if client.socket is None and not self._call(client):
            return self._come_back(client, _AWAY)
        self._send(client)

    def _call(self, client: _Client) -> bool:
        """Open a client's connection; False where nobody takes it."""
        try:
            client.socket = socket.create_connection(self._address, timeout=_SILENCE)
        except OSError:
            self._heard.dropped += 1
            return False
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.socket.setblocking(False)
        self._selector.register(client.socket, selectors.EVENT_READ, client)
        return True

    def _come_back(self, client: _Client, seconds: float) -> None:
        """Let a client send the same photo again, later, if there is time."""
        self._busy -= 1
        if time.perf_counter() > self._until:
            return
        heapq.heappush(self._later, (time.perf_counter() + seconds, id(client), client))

    def _send(self, client: _Client) -> None:
        assert client.socket
        waited = bool(self._selector.get_key(client.socket).events & selectors.EVENT_WRITE)
        try:
            client.unsent = client.unsent[client.socket.send(client.unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            return self._drop(client)
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.unsent else 0)
        if waited or client.unsent:
            self._selector.modify(client.socket, events, client)

    def _read(self, client: _Client) -> None:
        assert client.socket
        try:
            data = client.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self._drop(client)
        client.answer += data
        if not client.ends_at:
            client.ends_at = _length(client.answer)
        if client.ends_at and len(client.answer) >= client.ends_at:
            self._answered(client)

    def _answered(self, client: _Client) -> None:
        now = time.perf_counter()
        status, heard = int(client.answer[9:12]), self._heard
        heard.statuses[status] += 1
        if client.unsent or _CLOSE.search(client.answer):
            self._hang_up(client)
        if status == 503:
            found = _RETRY.search(client.answer)
            return self._come_back(client, int(found[1]) if found else 1)
        self._busy -= 1
        if status in _ACCEPTED:
            heard.latencies.append(now - client.began)
            if found := _ID.search(client.answer):
                heard.ids.append(found[1].decode())
        elif len(heard.problems) < 5:
            heard.problems.append(client.answer[:400].decode(errors="replace"))
        self._next(client)

    def _drop(self, client: _Client) -> None:
        """The server ended the connection; an idle one is its right."""
        self._hang_up(client)
        if client.began and client.ends_at == 0:
            self._busy -= 1
            self._heard.dropped += 1
            self._next(client)

    def _hang_up(self, client: _Client) -> None:
        if client.socket:
            self._selector.unregister(client.socket)
            client.socket.close()
            client.socket = None


def _length(answer: bytearray) -> int:
    """How long the whole answer is; 0 until its header is there."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return 0
    found = _LENGTH.search(answer, 0, end + 2)
    if not found:
        raise ValueError(f"An answer without Content-Length: {bytes(answer[:end])!r}")
    return end + 4 + int(found[1])
