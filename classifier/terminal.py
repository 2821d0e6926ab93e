"""What a command shows while it works: one moving line on a terminal, plain lines in a pipe."""

import time
from collections.abc import Callable
from datetime import timedelta

from django.core.management.base import OutputWrapper

_WIDTH = 24
_CLEAR = "\r\x1b[K"
# Seconds between two looks at the pace.
_LOOK = 0.2


class Terminal:
    """Shows progress where somebody can see it, and nothing of it in a pipe or a file.

    Args:
        out: A command's standard output, or its standard error.
    """

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self.is_terminal = bool(out.isatty())

    def step(self, progress: float | None, words: str) -> None:
        """Move the line.

        Args:
            progress: From 0 to 1; None where nobody knows.
            words: What is going on.
        """
        if not self.is_terminal:
            return
        if progress is None:
            self._write(f"{_CLEAR}{words}")
            return
        done = round(progress * _WIDTH)
        bar = "█" * done + "░" * (_WIDTH - done)
        self._write(f"{_CLEAR}{bar} {progress:4.0%}  {words}")

    def say(self, line: str) -> None:
        """Leave a line above the moving one."""
        self._write(f"{_CLEAR}{line}\n" if self.is_terminal else f"{line}\n")

    def close(self) -> None:
        if self.is_terminal:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        # As it is: standard error would otherwise be written in red.
        self._out.write(text, style_func=str, ending="")
        self._out.flush()


class Pace:
    """Shows how many photos have gone by, how fast, and how long it will take.

    Args:
        screen: Where.
        total: How many there are; None where nobody knows.
        clock: Seconds that never run backwards.
    """

    def __init__(
        self, screen: Terminal, total: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._screen = screen
        self._total = total
        self._clock = clock
        self._began, self._looked = clock(), 0.0
        self._first: int | None = None

    def look(self, photos: int) -> None:
        """Move the line, if it was not moved just now.

        Args:
            photos: How many there are by now, with those of earlier runs.
        """
        if self._first is None:
            self._first = photos - 1
        now = self._clock()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        rate = (photos - self._first) / max(now - self._began, 1e-3)
        if not self._total:
            self._screen.step(None, f"{photos:,} photos, {rate:,.0f} a second")
            return
        left = timedelta(seconds=round(max(0, self._total - photos) / rate))
        words = f"{photos:,} of {self._total:,} photos, {rate:,.0f} a second, {left} left"
        self._screen.step(min(1.0, photos / self._total), words)
