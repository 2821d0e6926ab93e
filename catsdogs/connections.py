"""A connection and the request on it, as one thread hands it to another."""

import io
import socket
import time
from dataclasses import dataclass
from typing import Any

from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.errors import InvalidHeader
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn

from catsdogs.arriving import Arriving
from classifier.admission import Refusal

# How long a thread waits for the next bytes of a body it has to read itself, and for a client to
# take its answer.
_STALL_SECONDS = 5.0
_PIECE = 64 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True)
class Whole:
    """A request of which nothing is missing.

    Attributes:
        head: Its bytes, with the empty line.
        body: Its bytes; none where they were dropped.
        length: Of the body as the head declares it.
    """

    head: bytes
    body: bytes
    length: int


class Corked:
    """A socket that an answer's head and body leave together: one system call, one packet.

    Args:
        sock: Blocks, with a limit.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._held: list[bytes] = []
        self._size = 0

    def sendall(self, data: bytes) -> None:
        self._held.append(data)
        self._size += len(data)
        if self._size >= _PIECE:
            self.flush()

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            held, self._held, self._size = self._held, [], 0
            self._sock.sendall(b"".join(held))

    def __getattr__(self, name: str) -> Any:
        """All else, such as sending a file, goes on behind what is held."""
        self.flush()
        return getattr(self._sock, name)


class Connection(TConn):  # type: ignore[misc]  # gunicorn ships no types
    """A client's connection.

    Attributes:
        arriving: The request that comes in.
        whole: The one that a thread has in hand; None where the thread reads it by itself.
        rest: What came after it.
        route: Its address's name where it is a photo, see `classifier.admission.photo_route`.
        refusal: Why it is turned away; None: it is let in.
        ends: No further request is read from it.
        deadline: When it must be in a thread's hands, in seconds of a monotonic clock.
        seconds: How long a thread had its photo in hand, where one had.
        held: Bytes that are held for it.
        kind: What its photo takes, likely: its route, and its size by powers of four.
        is_watched: Whether the poller looks at it.
        in_hand: Whether a thread has it.
    """

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.data_ready = True  # no thread waits for the first byte
        self.rest = b""
        self.is_watched = self.in_hand = False
        self.held = 0
        self.deadline = 0.0
        self.await_request(time.monotonic())

    def await_request(self, now: float) -> None:
        """Forget the last request; the next one may begin."""
        self.arriving = Arriving(now)
        self.whole: Whole | None = None
        self.route = ""
        self.refusal: Refusal | None = None
        self.ends = False
        self.seconds: float | None = None

    @property
    def kind(self) -> tuple[str, int]:
        head = self.arriving.head
        return self.route, head.length.bit_length() // 2 if head else 0

    def close_off(self) -> None:
        """The request in `arriving` has come, or is left to the parser; what follows is `rest`."""
        head = self.arriving.head
        if head is None:
            return
        head_bytes, body, self.rest = self.arriving.take()
        self.whole = Whole(head_bytes, body, head.length)

    def init(self) -> None:
        """Give the parser what has been read; called by the thread that has it in hand."""
        super().init()
        self.sock.settimeout(_STALL_SECONDS)
        if self.is_http2 or self.parser is None:
            return
        if self.whole is not None:
            self.parser.unreader.unread(self.whole.head)
        else:
            self.parser.unreader.unread(b"".join(self.arriving.take()))

    def fit(self, request: Request) -> None:
        """Give a parsed request its body.

        Raises:
            InvalidHeader: if the parser sees the request end elsewhere.
        """
        if self.whole is None:
            return
        reader = request.body.reader
        agrees = isinstance(reader, LengthReader) and reader.length == self.whole.length
        if not agrees or self.parser.unreader.take_buffered():
            raise InvalidHeader("CONTENT-LENGTH", req=request)
        request.body = io.BytesIO(self.whole.body)
        request._expected_100_continue = False  # it has been told
        if self.ends:
            request.force_close()

    def gather(self, request: Request, most: int) -> int:
        """Read a body that comes in chunks, which Django does not, and tell its length.

        Args:
            request: As parsed.
            most: Bytes to keep.

        Returns:
            Bytes of the body, kept or not.
        """
        if not isinstance(request.body.reader, ChunkedReader):
            return 0
        if request._expected_100_continue:
            self.sock.sendall(CONTINUE)
            request._expected_100_continue = False
        body, size = io.BytesIO(), 0
        while data := request.body.read(_PIECE):
            size += len(data)
            if size <= most:
                body.write(data)
        body.seek(0)
        request.body = body
        request.headers = [each for each in request.headers if each[0] != "TRANSFER-ENCODING"]
        request.headers.append(("CONTENT-LENGTH", str(body.getbuffer().nbytes)))
        return size

    def has_gone(self) -> bool:
        """Whether the client no longer waits for an answer."""
        try:
            return not self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
