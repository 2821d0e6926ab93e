"""A heat map as a picture: over the right part of the photo, in an order that all eyes see."""

import io

import numpy as np
import pytest
from PIL import Image

from ml.explain import Heat
from ml.heat_pictures import over_photo, overlay


def heat(values, box=(0.25, 0, 0.5, 1)):
    return Heat("cat", box, np.array(values, float), 1.0)


def opened(png):
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return np.asarray(image.convert("RGBA")).astype(int)


def lightness(pixels):
    """Relative luminance by WCAG 2.2, from 0 to 1."""
    share = np.asarray(pixels)[..., :3] / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_it_covers_what_was_looked_at_and_hatches_the_rest():
    pixels = opened(overlay(heat([[0, 0], [0, 0]]), 200, 100))

    assert pixels.shape == (100, 200, 4)
    assert (pixels[:, 50:150, 3] == 0).all()
    assert (pixels[:, :50, 3] > 100).all() and (pixels[:, 150:, 3] > 100).all()
    assert len(np.unique(pixels[:, :50, 3])) == 2  # stripes, not mere darkness


def test_hot_is_where_the_map_says():
    pixels = opened(overlay(heat([[0, 0, 0], [0, 0, 0], [1, 0, 0]]), 200, 100))

    hottest = np.unravel_index(pixels[:, 50:150, 3].argmax(), (100, 100))
    assert hottest[0] > 70 and hottest[1] < 30
    assert pixels[10, 140, 3] == 0


def test_each_step_is_lighter_and_hides_more_than_the_one_before():
    row = opened(overlay(heat([np.linspace(0, 1, 64)], (0, 0, 1, 1)), 640, 4))[2]

    assert (np.diff(lightness(row)) >= -1e-9).all()
    assert lightness(row)[-1] > 0.8 > 0.05 > lightness(row)[0]
    assert (np.diff(row[:, 3]) >= 0).all()
    assert row[-1, 3] < 200  # the photo is always seen through it


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (0.01, 0, 0.98, 1), (0, 0.499, 1, 0.002)])
@pytest.mark.parametrize("size", [(1, 1), (3, 500), (640, 1)])
def test_any_shape_of_photo_can_be_drawn(box, size):
    assert opened(overlay(heat([[1, 0]], box), *size)).shape == (size[1], size[0], 4)


def test_over_the_photo_cold_places_are_the_photo():
    photo = np.full((300, 600, 3), (10, 200, 30), np.uint8)

    pixels = opened(over_photo(heat([[1, 0, 0, 0]]), photo, 200))

    assert pixels.shape == (100, 200, 4)
    assert (pixels[:, 130:150, :3] == (10, 200, 30)).all()
    assert (pixels[50, 52, :3] != (10, 200, 30)).any()
    assert (pixels[:, :50, :3].sum(axis=2) < 150).all()
