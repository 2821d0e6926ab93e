"""Many photos on one PNG, each with a line or two of text, for a person to look through."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ml.photos import PhotoError, decode_photo

# Photos on a sheet, and sheets of one kind: more than that nobody looks through.
PER_SHEET, MAX_SHEETS = 60, 10

_COLUMNS = 6
_SIDE, _GAP, _TEXT_HEIGHT = 200, 8, 34
_TEXT_SIZE = 12


@dataclass(frozen=True)
class Cell:
    """One photo of a sheet.

    Attributes:
        path: The photo; a file that is none is shown as a grey square.
        lines: What stands below it, cut where it is too long.
    """

    path: Path
    lines: tuple[str, ...]


def contact_sheets(cells: Sequence[Cell]) -> Iterator[bytes]:
    """PNGs of `PER_SHEET` photos each, at most `MAX_SHEETS` of them."""
    for start in range(0, min(len(cells), PER_SHEET * MAX_SHEETS), PER_SHEET):
        yield contact_sheet(cells[start : start + PER_SHEET])


def contact_sheet(cells: Sequence[Cell]) -> bytes:
    """All photos on one PNG, six in a row."""
    width, height = _SIDE + _GAP, _SIDE + _GAP + _TEXT_HEIGHT
    columns, rows = min(len(cells), _COLUMNS), -(-len(cells) // _COLUMNS)
    sheet = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), "white")
    for number, cell in enumerate(cells):
        row, column = divmod(number, _COLUMNS)
        _draw(sheet, cell, column * width + _GAP, row * height + _GAP)
    target = io.BytesIO()
    sheet.save(target, "PNG")
    return target.getvalue()


def _draw(sheet: Image.Image, cell: Cell, left: int, top: int) -> None:
    photo = _small(cell.path)
    sheet.paste(photo, (left + (_SIDE - photo.width) // 2, top + (_SIDE - photo.height) // 2))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(_TEXT_SIZE)
    for number, line in enumerate(cell.lines):
        position = (left, top + _SIDE + 2 + number * (_TEXT_SIZE + 3))
        pen.text(position, _cut(line, font), fill="black", font=font)


def _small(path: Path) -> Image.Image:
    try:
        pixels = decode_photo(path.read_bytes()).pixels
    except (PhotoError, OSError):
        return Image.new("RGB", (_SIDE, _SIDE), "lightgrey")
    photo = Image.fromarray(pixels)
    photo.thumbnail((_SIDE, _SIDE))
    return photo


def _cut(line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    while line and font.getlength(line) > _SIDE:
        line = line.removesuffix("…")[:-1] + "…" if len(line) > 1 else ""
    return line
