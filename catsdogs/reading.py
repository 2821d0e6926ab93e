"""A gunicorn worker whose main loop reads requests as they come, and waits for none of them.

A slow or silent client costs some memory and no thread, and not for ever.
"""

import errno
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from catsdogs.arriving import BODY_SECONDS
from catsdogs.connections import Connection
from classifier.admission import overloaded

_READ_BYTES = 256 * 1024
_SWEEP_SECONDS = 0.5
_SIGN_SECONDS = 1.0
# How long a client has to close a connection that we have ended.
_LINGER_SECONDS = 2.0
_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_NOT_THERE_YET = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)


class ReadingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Reads; what becomes of what it has read is for those who derive from it.

    Attributes:
        most_held: Bytes of bodies to hold in memory.
    """

    most_held: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arriving: dict[Connection, None] = {}  # in the order in which they began
        self._streaming: dict[Connection, float] = {}
        self._closing: dict[Connection, float] = {}
        self._done: deque[tuple[Connection, bool]] = deque()  # threads add, the main loop takes
        self._held = 0
        self._scratch = memoryview(bytearray(_READ_BYTES))
        self._next_sweep = self._next_sign = self._stopped_at = 0.0
        # TLS and the like are more than we read: there, gunicorn does what it always does.
        self._reads = not self.cfg.is_ssl and self.cfg.proxy_protocol == "off"
        self._reads = self._reads and self.cfg.http2_cleartext == "off"

    def take(self, conn: Connection, data: bytes | memoryview) -> None:
        """Take what has come on a connection; calls `leave` once a thread is to have it."""
        raise NotImplementedError

    def settle(self, conn: Connection, keeps: bool) -> None:
        """A thread is done with a connection: wait for its next request, or end it."""
        raise NotImplementedError

    def notify(self) -> None:
        """Prove to the parent that we live: often enough, not with each event."""
        if (now := time.monotonic()) >= self._next_sign:
            self._next_sign = now + _SIGN_SECONDS
            super().notify()

    def accept(self, listener: socket.socket) -> None:
        if not self._reads:
            super().accept(listener)
            return
        self._settle_all()
        try:
            client_sock, client = listener.accept()
        except OSError as error:
            if error.errno in _OUT_OF_FILES:
                self._make_room()
            elif error.errno not in _NOT_THERE_YET:
                raise
            return
        self.nr_conns += 1
        conn = Connection(self.cfg, client_sock, client, listener.getsockname())
        self._arriving[conn] = None
        self._read(conn)

    def done(self, conn: Connection, keeps: bool) -> None:
        """A thread is done with a connection. Called in that thread.

        Args:
            conn: Whose.
            keeps: Whether it stays open.
        """
        self._done.append((conn, keeps))
        # Its next request wakes the main loop anyway. Looked at after the line above, never before:
        # see `_on_readable`.
        if not (keeps and conn.is_watched and self.alive) or conn.rest:
            self.method_queue.defer(self._settle_all)

    def _settle_all(self) -> None:
        while self._done:
            self.settle(*self._done.popleft())

    def _on_readable(self, conn: Connection, client: object) -> None:
        self._settle_all()
        if conn.in_hand:
            # It says more before it has its answer, or has gone: that is looked at afterwards.
            self.unwatch(conn)
            # The thread may have been done a moment ago, and relied on us.
            self._settle_all()
            return
        if conn not in self._arriving:  # it was kept alive, and wakes up
            self.keepalived_conns.remove(conn)
            conn.await_request(time.monotonic())
            self._arriving[conn] = None
        self._read(conn)

    def await_next(self, conn: Connection, rest: bytes) -> None:
        """Wait for a connection's next request.

        Args:
            conn: Has got its answer.
            rest: What it sent before that.
        """
        if conn.sock.gettimeout() != 0.0:  # a thread had it
            conn.sock.setblocking(False)
        conn.in_hand = False
        conn.await_request(time.monotonic())
        conn.rest = b""
        if rest:
            self._arriving[conn] = None
            self.take(conn, rest)
            self._wait_for_more(conn)
            return
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)
        self._watch(conn, self._on_readable)

    def leave(self, conn: Connection) -> None:
        """A thread is to have it: read from it no more.

        It stays registered, which costs nothing where its client waits for the answer as it should.
        """
        self._arriving.pop(conn, None)
        conn.in_hand = True

    def _read(self, conn: Connection) -> None:
        try:
            count = conn.sock.recv_into(self._scratch)
        except BlockingIOError:
            count = -1
        except OSError:
            count = 0
        if count == 0:
            self.drop(conn)
            return
        if count > 0:
            self.take(conn, self._scratch[:count])
        self._wait_for_more(conn)

    def _wait_for_more(self, conn: Connection) -> None:
        if conn in self._arriving:
            self._watch(conn, self._on_readable)

    def _watch(self, conn: Connection, callback: Callable[..., None]) -> None:
        if not conn.is_watched:
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(callback, conn))
            conn.is_watched = True

    def unwatch(self, conn: Connection) -> None:
        """Let the poller look at it no more."""
        if conn.is_watched:
            self.poller.unregister(conn.sock)
            conn.is_watched = False

    def hold(self, conn: Connection, count: int) -> None:
        """Account for bytes; where they are too many, whoever holds most of them is turned away."""
        conn.held += count
        self._held += count
        if self._held <= self.most_held:
            return
        largest = max(self._arriving, key=lambda each: each.held)
        if largest.arriving.head is not None and not largest.arriving.is_dropped:
            largest.arriving.drop()
            largest.refusal = overloaded(1)
            self.release(largest)

    def release(self, conn: Connection) -> None:
        """Its bytes are no longer held."""
        self._held -= conn.held
        conn.held = 0
        conn.whole = None

    def tell(self, conn: Connection, words: bytes) -> bool:
        """Send a few bytes at once, or not at all.

        Returns:
            Whether the client's side took all of them.
        """
        try:
            sent: int = conn.sock.send(words)
            return sent == len(words)
        except OSError:
            self.log.debug("A client did not take what it was told.")
            return False

    def refuse_head(self, conn: Connection) -> None:
        """Answer for a head that is longer than any needs to be."""
        self.leave(conn)
        self.handle_error(None, conn.sock, conn.client, LimitRequestHeaders("the head is too long"))
        self.end(conn)

    def end(self, conn: Connection) -> None:
        """Close a connection so that its client gets to read the last answer.

        Where the client is still sending, a plain close would take the answer back.
        """
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.drop(conn)
            return
        self._closing[conn] = time.monotonic() + _LINGER_SECONDS
        self.unwatch(conn)
        self._watch(conn, self._read_to_the_end)

    def _read_to_the_end(self, conn: Connection, client: object = None) -> None:
        try:
            if conn.sock.recv_into(self._scratch):
                return
        except BlockingIOError:
            return
        except OSError:
            self.log.debug("A client broke its connection off.")
        self.drop(conn)

    def drop(self, conn: Connection) -> None:
        """Close a connection now."""
        self.unwatch(conn)
        self._arriving.pop(conn, None)
        self._closing.pop(conn, None)
        self.release(conn)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Close what takes too long. Gunicorn calls this after each look at the connections."""
        super().murder_pending()
        self._settle_all()
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_SECONDS
        if not self.alive and not self._stopped_at:
            self._stopped_at = now
        leaves = self._stopped_at and now > self._stopped_at + STOP_KEEPALIVE_LINGER
        late = [each for each in self._arriving if leaves or each.arriving.is_late(now)]
        late += [each for each, until in self._closing.items() if now > until]
        for conn in late:
            self.drop(conn)
        for conn, since in self._streaming.items():
            if now > since + BODY_SECONDS:
                self._cut_off(conn)
        if self._reads and self.nr_conns >= self.worker_connections:
            self._make_room()

    def _cut_off(self, conn: Connection) -> None:
        """A thread reads from it: let it see an end."""
        try:
            conn.sock.shutdown(socket.SHUT_RD)
        except OSError:
            self.log.debug("A client had gone already.")

    def _make_room(self) -> None:
        """Close the connections that have waited longest for their clients: a tenth, or one."""
        waiting = [*self._arriving, *self.keepalived_conns]
        for conn in waiting[: max(1, len(waiting) // 10)]:
            if conn in self.keepalived_conns:
                self.keepalived_conns.remove(conn)
            self.drop(conn)
