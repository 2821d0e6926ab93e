"""Whose secret this is: tokens found valid are remembered, also for when the database is away.

In memory of this process and by their digests only, never by their secrets.
"""

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import timezone

from classifier.tokens import ApiToken, digest_of

# Within so many seconds a token that was revoked may still be taken.
TRUSTED_SECONDS = 5.0
# While the database is away, so long after it last said yes.
REMEMBERED_SECONDS = 24 * 3600.0
REMEMBERED = 10_000
# After the database failed, it is left alone for so long: waiting for it may take seconds.
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class _Seen:
    """A token, and when the database last called it valid, by a clock that nobody sets."""

    token: ApiToken
    at: float


class Bearers:
    """The tokens that this process has seen valid, the least recently asked for forgotten first.

    Args:
        clock: Seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._lock = threading.Lock()
        self._pause_until = -1.0

    def find(self, secret: str) -> ApiToken | None:
        """The valid token with this secret text.

        Raises:
            OperationalError, InterfaceError: if the database cannot be asked and this process has
                not seen the token valid within `REMEMBERED_SECONDS`.
        """
        digest = digest_of(secret)
        seen = self._recall(digest)
        if seen is None or self._clock() - seen.at >= TRUSTED_SECONDS:
            seen = self._ask(digest, seen)
        if seen is None or seen.token.is_expired(timezone.now()):
            return None
        return seen.token

    def forget(self) -> None:
        """Remember nothing."""
        with self._lock:
            self._seen.clear()
        self._pause_until = -1.0

    def _ask(self, digest: str, seen: _Seen | None) -> _Seen | None:
        try:
            if self._clock() < self._pause_until:
                raise OperationalError("The database failed a moment ago.")
            token = self._ask_database(digest)
        except (OperationalError, InterfaceError):
            if seen is None:
                raise
            return seen
        if token is None:
            self._drop(digest)
            return None
        return self._keep(digest, token)

    def _ask_database(self, digest: str) -> ApiToken | None:
        now = timezone.now()
        try:
            token = ApiToken.objects.valid(now).filter(digest=digest).first()
        except (OperationalError, InterfaceError):
            self._pause_until = self._clock() + _PAUSE_SECONDS
            raise
        if token:
            # A full disk or a standby takes no writes: the token is valid all the same.
            with contextlib.suppress(DatabaseError):
                ApiToken.objects.note_use(token, now)
        return token

    def _recall(self, digest: str) -> _Seen | None:
        with self._lock:
            seen = self._seen.get(digest)
            if seen is None or self._clock() - seen.at >= REMEMBERED_SECONDS:
                self._seen.pop(digest, None)
                return None
            self._seen.move_to_end(digest)
            return seen

    def _keep(self, digest: str, token: ApiToken) -> _Seen:
        seen = _Seen(token, self._clock())
        with self._lock:
            self._seen[digest] = seen
            self._seen.move_to_end(digest)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return seen

    def _drop(self, digest: str) -> None:
        with self._lock:
            self._seen.pop(digest, None)


bearers = Bearers()
