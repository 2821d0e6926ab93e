"""What a run shows in the foreground: one moving line on a terminal, plain lines in a pipe."""

from django.core.management.base import OutputWrapper

_WIDTH = 24
_CLEAR = "\r\x1b[K"


class Terminal:
    """Shows a run's progress where somebody can see it, and nothing of it in a pipe or a file.

    Args:
        out: A command's standard output.
    """

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._is_terminal = out.isatty()

    def step(self, progress: float, words: str) -> None:
        if self._is_terminal:
            done = round(progress * _WIDTH)
            bar = "█" * done + "░" * (_WIDTH - done)
            self._write(f"{_CLEAR}{bar} {progress:4.0%}  {words}")

    def say(self, line: str) -> None:
        """Leave a line above the moving one."""
        self._write(f"{_CLEAR}{line}\n" if self._is_terminal else f"{line}\n")

    def close(self) -> None:
        if self._is_terminal:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        self._out.write(text, ending="")
        self._out.flush()
