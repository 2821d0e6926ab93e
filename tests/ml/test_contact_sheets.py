import io

import numpy as np
from PIL import Image

from ml.contact_sheets import MAX_SHEETS, PER_SHEET, Cell, contact_sheet, contact_sheets
from tests.photos import encode


def colour_photo(place, colour):
    path = place / f"{colour}.png"
    path.write_bytes(encode(Image.new("RGB", (300, 100), colour), "PNG"))
    return path


def pixels_of(sheet):
    return np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB"))


def test_each_photo_is_on_the_sheet_in_its_own_shape(tmp_path):
    cells = [Cell(colour_photo(tmp_path, colour), ("a",)) for colour in ("red", "blue")]

    pixels = pixels_of(contact_sheet(cells))

    red, blue = ((pixels == colour).all(axis=2) for colour in ((255, 0, 0), (0, 0, 255)))
    for found in (red, blue):
        rows, columns = np.nonzero(found)
        assert np.ptp(columns) + 1 == 200
        assert 66 <= np.ptp(rows) + 1 <= 67
    assert np.nonzero(red)[1].max() < np.nonzero(blue)[1].min()


def test_its_lines_stand_below_a_photo_and_within_its_width(tmp_path):
    path = colour_photo(tmp_path, "red")

    bare = pixels_of(contact_sheet([Cell(path, ())]))
    short = pixels_of(contact_sheet([Cell(path, ("i",))]))
    long = pixels_of(contact_sheet([Cell(path, ("i" * 500,)), Cell(path, ())]))

    assert (bare != short).any()
    rows, columns = np.nonzero((long < 128).all(axis=2))
    assert rows.min() > 200
    assert columns.max() < 208 + 8


def test_a_broken_file_is_shown_as_a_grey_square(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no photo")

    pixels = pixels_of(contact_sheet([Cell(tmp_path / "broken.jpg", ("broken",))]))

    assert ((pixels == 211).all(axis=2)).sum() == 200 * 200


def test_many_photos_are_spread_over_sheets_up_to_a_limit(tmp_path):
    cell = Cell(tmp_path / "missing.jpg", ())

    assert list(contact_sheets([])) == []
    assert len(list(contact_sheets([cell] * (PER_SHEET + 1)))) == 2
    assert sum(1 for _ in contact_sheets([cell] * (PER_SHEET * MAX_SHEETS + 1))) == MAX_SHEETS
