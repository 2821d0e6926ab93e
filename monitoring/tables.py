"""The numbers behind a plot: as a table on the page, and as a file for a spreadsheet."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _

from classifier.numerals import number
from ml.spreadsheets import harmless

Cell = str | int | float | datetime | None

_NOTHING = "–"


@dataclass(frozen=True)
class Column:
    """A heading, and how its numbers are written on the page."""

    name: str
    write: Callable[[float], str] = str


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first cell of a row names it."""

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]

    @property
    def words(self) -> list[list[str]]:
        """Every cell as a person reads it."""
        return [
            [_in_words(cell, column) for cell, column in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]

    def as_csv(self) -> str:
        """Every cell as a program reads it: times in ISO 8601, numbers in full, no translation.

        No cell is taken for a formula by a spreadsheet, whatever a label or a version is called.
        """
        written = io.StringIO()
        out = csv.writer(written)
        out.writerow(_harmless(column.name) for column in self.columns)
        out.writerows([_harmless(cell) for cell in row] for row in self.rows)
        return written.getvalue()


def _in_words(cell: Cell, column: Column) -> str:
    if cell is None:
        return _NOTHING
    if isinstance(cell, datetime):
        # Translators: a day and a time in a table, in the letters of Django's filter `date`.
        return format_date(timezone.localtime(cell), _("D j M, H:i"))
    return cell if isinstance(cell, str) else column.write(cell)


def _harmless(cell: Cell) -> str | int | float:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat()
    return harmless(cell) if isinstance(cell, str) else cell


def count(value: float) -> str:
    return number(f"{value:,.0f}")


def share(value: float) -> str:
    return number(f"{100 * value:.1f}\N{NO-BREAK SPACE}%")


def milliseconds(value: float) -> str:
    return number(f"{value:,.1f}\N{NO-BREAK SPACE}ms")


def three_decimals(value: float) -> str:
    return number(f"{value:.3f}")
