"""Rows as JSON lines and as CSV, and how much of them is whole in a file that was cut off."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ml.rows import ANSWERED, COLUMNS, REFUSED, Row
from ml.spreadsheets import harmless


@dataclass(frozen=True)
class Form:
    """How rows are written.

    Attributes:
        header: What a file begins with.
        begins: What every file that has anything in it begins with.
        line: A row as bytes, which end with a line feed.
        read: The whole rows of an open file, each with its end in bytes from the file's beginning.
            Raises ValueError where something else is there.
    """

    header: bytes
    begins: bytes
    line: Callable[[Row], bytes]
    read: Callable[[Iterable[bytes]], Iterator[tuple[Row, int]]]


def json_line(row: Row) -> str:
    """A row as JSON, in ASCII: no program and no terminal misunderstands it."""
    return json.dumps(row) + "\n"


def _read_json(file: Iterable[bytes]) -> Iterator[tuple[Row, int]]:
    end = 0
    for line in file:
        if not line.endswith(b"\n"):
            return
        end += len(line)
        yield _checked(json.loads(line)), end


def _csv_line(row: Row) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(_cell(row.get(column)) for column in COLUMNS)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, dict):
        return json.dumps(value)
    return harmless(value) if isinstance(value, str) else value


def _read_csv(file: Iterable[bytes]) -> Iterator[tuple[Row, int]]:
    lines = _Lines(file)
    try:
        for number, record in enumerate(csv.reader(lines, strict=True)):
            if number == 0 and tuple(record) != COLUMNS:
                raise ValueError(f"other columns: {', '.join(record)}")
            if number:
                cells = zip(COLUMNS, record, strict=True)
                yield _checked({name: cell for name, cell in cells if cell}), lines.end
    except csv.Error as error:
        if not lines.are_over:
            raise ValueError(str(error)) from error
        # Else the file ends between two quotation marks: cut off in the middle of a row.


class _Lines:
    """Whole lines of a file as text, and where the last of them ended, in bytes."""

    def __init__(self, file: Iterable[bytes]) -> None:
        self._file = file
        self.end = 0
        self.are_over = False

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            self.end += len(line)
            yield line.decode()
        self.are_over = True


def _checked(row: object) -> Row:
    if not isinstance(row, dict) or not isinstance(row.get("path"), str):
        raise ValueError("a row without a path")
    if not row.get(ANSWERED[-1]) and not row.get(REFUSED[0]):
        raise ValueError("a row with neither a version nor a code")
    return row


_COLUMNS_LINE = ",".join(COLUMNS).encode() + b"\r\n"
JSON_LINES = Form(b"", b'{"path": "', lambda row: json_line(row).encode(), _read_json)
CSV = Form(_COLUMNS_LINE, _COLUMNS_LINE, _csv_line, _read_csv)
