"""Ask something that may hang, and go on without an answer."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import DatabaseError, InterfaceError, connection

from classifier import database

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
        self._answers: list[T] = []
        self._lock = threading.Lock()

    def answer(self) -> T | None:
        """What came back in time; None: nothing did. Who asks meanwhile waits for the same."""
        with self._lock:
            if self._asking is None or not self._asking.is_alive():
                self._answers = []
                self._asking = threading.Thread(
                    target=self._into, args=(self._answers,), name="ask-database", daemon=True
                )
                self._asking.start()
            thread, answers = self._asking, self._answers
        thread.join(self._seconds)
        return answers[0] if answers else None

    def _into(self, answers: list[T]) -> None:
        try:
            with database.patiently():  # its own limit may be a longer one
                answers.append(self._ask())
        except (DatabaseError, InterfaceError):
            return
        finally:
            connection.close()  # it belongs to this thread, which ends
