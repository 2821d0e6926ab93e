"""Our gunicorn worker: its threads see whole requests only, and photos have a lane of their own.

Once whole, a photo goes to the threads for photos, or is turned away at once where too many wait;
everything else goes to threads that no photo takes. What only gunicorn's parser can tell the end of
(chunks, heads out of the ordinary, very large batches) goes to two threads more.
"""

import errno
import signal
import time
from types import SimpleNamespace
from typing import Any

from gunicorn.http.message import Request

from catsdogs.arriving import Head
from catsdogs.connections import CONTINUE, Connection, Corked
from catsdogs.photo_lane import PhotoLane
from catsdogs.reading import ReadingWorker
from catsdogs.threads import Threads
from classifier import admission
from classifier.admission import Refusal

# They read by themselves, so that a client can hold them: few, and nothing else needs them.
_STREAM_THREADS = 2
_MOST_STREAMS = 64
# What surrounds a photo in a form.
_FORM_BYTES = 64 * 1024
# A body too large is read and dropped, so that its sender gets to read why; up to this many times
# of what may come. Beyond it the answer is given at once.
_PATIENCE = 10
# Photos take all that the cores can give: they stand back behind the main loop and everything else,
# which need little and need it now. Retraining stands back behind them (`feedback.tasks`).
_NICENESS = 10
# A photo whose turn comes later than twice the wait that was in view is turned away after all.
_WAITS = 2


class Worker(ReadingWorker):
    """See the module. `threads` is the number of threads for all but photos."""

    def init_signals(self) -> None:
        super().init_signals()
        # Ctrl-C reaches every process of the terminal, and the parent passes it on as well. Taken
        # twice, gunicorn's handler waits for a lock that it holds itself, until it is killed.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def load_wsgi(self) -> None:
        super().load_wsgi()
        # The site's settings and counts exist from here on, in gunicorn's first process never.
        from django.conf import settings

        from catsdogs import door
        from classifier import telemetry

        self._door, self._telemetry = door, telemetry
        self._photo_bytes = settings.PHOTO_MAX_BYTES
        self._body_bytes = settings.PHOTO_MAX_BYTES + _FORM_BYTES
        self.most_held = settings.UPLOAD_BUFFER_BYTES
        self._max_wait = settings.MAX_WAIT
        self._overloaded = admission.overloaded(settings.MAX_WAIT)
        self._lane = PhotoLane(settings.PHOTO_THREADS, settings.MAX_WAIT)
        self._photos = Threads(settings.PHOTO_THREADS, "photos", self.done, niceness=_NICENESS)
        self._streams = Threads(_STREAM_THREADS, "streams", self.done)
        self._others = Threads(self.cfg.threads, "others", self.done)

    def murder_pending(self) -> None:
        super().murder_pending()
        # All that one look at the connections told, and before whatever is asked after it.
        self._door.write_down()

    def take(self, conn: Connection, data: bytes | memoryview) -> None:
        request, had_head = conn.arriving, conn.arriving.head is not None
        request.add(data)
        if request.is_too_long:
            self.refuse_head(conn)
        elif request.is_odd:
            self._stream(conn)
        elif request.head is not None and (had_head or self._is_awaited(conn, request.head)):
            if not request.is_dropped:
                self.hold(conn, len(data))
            if request.is_whole:
                self._dispatch(conn)

    def _is_awaited(self, conn: Connection, head: Head) -> bool:
        """Look at a head that has just come.

        Returns:
            Whether its body is awaited; else it is in other hands already.
        """
        conn.route = admission.photo_route(head.method, head.target)
        if head.length > self._body_bytes:
            if conn.route == "api-predict-batch":
                self._stream(conn)  # the application bounds what it keeps of it
                return False
            conn.arriving.drop()
            conn.refusal = admission.too_large(head.length, self._photo_bytes)
            if head.expects or head.length > _PATIENCE * self._body_bytes:
                self._dispatch(conn)
                return False
        elif head.expects and not conn.arriving.is_whole:
            self.tell(conn, CONTINUE)
        return True

    def _dispatch(self, conn: Connection) -> None:
        """Give a request to the threads of its lane."""
        self.leave(conn)
        # After a body that was not kept to its end, the next request is not looked for.
        conn.ends = conn.arriving.is_dropped
        conn.close_off()
        now = time.monotonic()
        if conn.route and conn.refusal is None and not self._lane.has_room(now):
            conn.refusal = self._overloaded
        if conn.refusal is not None and self._is_told_at_once(conn, conn.refusal):
            return
        if not conn.route or conn.refusal is not None:
            conn.route = ""
            self._others.submit(self.handle, conn)
            return
        conn.deadline = now + _WAITS * self._max_wait
        self._lane.enter(conn.kind)
        self._telemetry.WAITING.inc()
        self._photos.submit(self._handle_photo, conn)

    def _is_told_at_once(self, conn: Connection, refusal: Refusal) -> bool:
        """Turn a program away without a thread, where that takes no more than a few bytes."""
        # What came behind it would be looked at from in here, and what came behind that.
        if conn.whole is None or conn.rest:
            return False
        keeps = self.alive and not conn.ends
        answer = self._door.at_once(refusal, conn.route, conn.whole.head, keeps=keeps)
        if answer is None:
            return False
        conn.route = ""
        if not self.tell(conn, answer):
            self.drop(conn)
            return True
        self.release(conn)
        if keeps:
            self.await_next(conn, b"")
        else:
            self.end(conn)
        return True

    def _stream(self, conn: Connection) -> None:
        """Let a thread read the rest, with gunicorn's parser."""
        if len(self._streaming) >= _MOST_STREAMS:
            self.drop(conn)
            return
        self.leave(conn)
        self.unwatch(conn)
        conn.route = ""
        self._streaming[conn] = time.monotonic()
        self._streams.submit(self.handle, conn)

    def _handle_photo(self, conn: Connection) -> Any:
        """A photo's turn has come. Runs in a thread, as all that follows up to `finish_request`."""
        self._telemetry.WAITING.dec()
        if conn.has_gone():
            self._telemetry.ABANDONED.inc()
            return False
        started = time.monotonic()
        if started > conn.deadline:
            conn.refusal = self._overloaded
            return self.handle(conn)
        try:
            return self.handle(conn)
        finally:
            conn.seconds = time.monotonic() - started

    def handle_request(self, req: Request, conn: Any) -> Any:
        admission.mark(None)
        if not isinstance(conn, Connection):
            return super().handle_request(req, conn)
        try:
            self._give_body(req, conn)
            admission.mark(conn.refusal)
            sock = Corked(conn.sock)
            ends = SimpleNamespace(sock=sock, client=conn.client, server=conn.server)
            keeps = super().handle_request(req, ends)
            sock.flush()
            return keeps
        except TimeoutError as error:  # nothing came, or nothing was taken
            raise ConnectionResetError(errno.ECONNRESET, "The client stalled.") from error

    def _give_body(self, req: Request, conn: Connection) -> None:
        if conn.whole is not None:
            conn.fit(req)
            return
        size = conn.gather(req, self._body_bytes)
        if size > self._body_bytes:
            conn.refusal = admission.too_large(size, self._photo_bytes)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        if not isinstance(conn, Connection) or conn.whole is None:
            return bool(super()._keepalive_after(conn, keepalive))
        conn.parser.mesg = None  # nothing of it is left to read, and nothing of it is kept
        return bool(keepalive)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        # Addresses of people do not belong in the log.
        super().handle_error(req, client, ("unnamed", 0), exc)

    def settle(self, conn: Connection, keeps: bool) -> None:
        if conn.route:
            self._lane.leave(conn.kind, conn.seconds)
        self._streaming.pop(conn, None)
        self.release(conn)
        if keeps and not conn.is_http2:
            self.await_next(conn, conn.rest + conn.parser.unreader.take_buffered())
        else:
            self.end(conn)
