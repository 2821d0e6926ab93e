"""Ask something that may hang, and go on without an answer."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import DatabaseError, InterfaceError, connection

T = TypeVar("T")


class Patient(Generic[T]):
    """A question to the database that is given a limited time.

    A database that stands still, rather than being gone, blocks whoever asks it for good: none of
    its own limits helps, because the operating system still takes what is sent to it. So it is
    asked in a thread, and no second time before the first has come back.

    Args:
        ask: The question; what it raises counts as no answer.
        seconds: How long an answer may take.
    """

    def __init__(self, ask: Callable[[], T], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._asking: threading.Thread | None = None
        self._lock = threading.Lock()

    def answer(self) -> T | None:
        """What came back in time; None: nothing did."""
        answers: list[T] = []
        with self._lock:
            if self._asking is not None and self._asking.is_alive():
                return None
            thread = threading.Thread(target=self._into, args=(answers,), daemon=True)
            self._asking = thread
            thread.start()
        thread.join(self._seconds)
        return answers[0] if answers else None

    def _into(self, answers: list[T]) -> None:
        try:
            answers.append(self._ask())
        except (DatabaseError, InterfaceError):
            return
        finally:
            connection.close()  # it belongs to this thread, which ends
