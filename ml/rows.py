"""What a version says of a file, as a row: of JSON lines, of CSV and of Parquet alike."""

import os
import re
import stat
from dataclasses import dataclass
from typing import Any

from ml.inference import Engine
from ml.photos import MAX_BYTES, MAX_PIXELS, PhotoError, check_size, decode_photo
from ml.spreadsheets import FORMULA

# A row has its `path` and, by these names, what was answered or why nothing was.
Row = dict[str, Any]
ANSWERED = ("answer", "label", "confidence", "probabilities", "novelty", "version")
REFUSED = ("code", "detail")
COLUMNS = ("path", *ANSWERED, *REFUSED)

# Codes of a row, beside a PhotoError's.
UNREADABLE, NO_ANSWER, CRASHED = "unreadable", "no_answer", "crashed"

# A byte of a file's name that is no UTF-8, as Python has it in a string: PEP 383.
_UNDECODED = re.compile("[\udc80-\udcff]")
_WRITTEN = re.compile(r"\\(?:\\|x([0-9a-f]{2}))")


@dataclass(frozen=True)
class Limits:
    """What a photo may have at most."""

    max_bytes: int = MAX_BYTES
    max_pixels: int = MAX_PIXELS


def answer_file(engine: Engine, file: str, limits: Limits) -> Row:
    """What a version says of a file: its row, but for the path. Whatever is wrong is in it."""
    try:
        data = _read(file, limits.max_bytes)
        answer = engine.predict(decode_photo(data, max_pixels=limits.max_pixels).pixels)
    except PhotoError as error:
        return refused(error.code, str(error))
    except OSError as error:
        return refused(UNREADABLE, f"The file cannot be read: {error.strerror or error}.")
    except Exception as error:  # noqa: BLE001  One photo, whatever is odd about it, ends no run.
        return refused(NO_ANSWER, f"No answer came of it: {type(error).__name__}: {error}")
    return {
        "answer": answer.answer,
        "label": answer.label,
        "confidence": answer.confidence,
        "probabilities": dict(answer.probabilities),
        "novelty": answer.novelty,
        "version": engine.card.version,
    }


def refused(code: str, detail: str) -> Row:
    """The row of a file that has no answer, but for its path."""
    return {"code": code, "detail": detail}


def written(path: str) -> str:
    r"""A path as rows have it: text for any program; `real_path` gives the path back.

    One that a spreadsheet, or another command, would take for something else begins with `./`.
    Where a name has bytes that are no UTF-8, each is written `\xff`, and a backslash is doubled;
    so it is where a name has `\x` in it anyway. Other paths stay as they are.
    """
    if path.startswith(FORMULA):
        path = f"./{path}"
    if "\\x" not in path and not _UNDECODED.search(path):
        return path
    doubled = path.replace("\\", "\\\\")
    return _UNDECODED.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", doubled)


def real_path(text: str) -> str:
    """The path that `written` wrote, as Python has paths."""
    if "\\x" not in text:
        return text
    return _WRITTEN.sub(lambda found: chr(0xDC00 + int(found[1], 16)) if found[1] else "\\", text)


def _read(file: str, max_bytes: int) -> bytes:
    with open(file, "rb", opener=_without_waiting) as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is no file but a pipe, a device or the like")
        check_size(status.st_size, max_bytes)
        return opened.read()


def _without_waiting(file: str, flags: int) -> int:
    """Open a file; a pipe that nobody writes to would be waited for."""
    return os.open(file, flags | getattr(os, "O_NONBLOCK", 0))
