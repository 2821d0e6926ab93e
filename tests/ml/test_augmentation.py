import numpy as np
import pytest

from ml.augmentation import augment
from tests.ml.drawn import draw


def views(pixels, number=200, side=32):
    return np.stack([augment(pixels, side, np.random.default_rng(i)) for i in range(number)])


def test_the_same_chance_gives_the_same_view():
    photo = draw("rings", 0)

    first = augment(photo, 32, np.random.default_rng(7))

    assert np.array_equal(first, augment(photo, 32, np.random.default_rng(7)))
    assert not np.array_equal(first, augment(photo, 32, np.random.default_rng(8)))


@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (16, 16), (3, 50), (1, 1)])
def test_a_photo_of_any_shape_becomes_a_square(shape):
    photo = np.full((*shape, 3), 200, np.uint8)

    found = views(photo, number=60)

    assert found.shape == (60, 32, 32, 3)
    assert found.dtype == np.uint8


def test_no_black_corner_shows():
    white = np.full((64, 64, 3), 255, np.uint8)

    found = views(white)

    # Dimming halves the light at most; a corner left by a tilt would be black.
    assert found.min() > 100


def test_half_of_the_views_are_mirrored():
    ramp = np.tile(np.linspace(0, 200, 64, dtype=np.uint8)[:, None], (64, 1, 3))

    rising = [view[:, -1].mean() > view[:, 0].mean() for view in views(ramp)]

    assert 0.4 < np.mean(rising) < 0.6


def test_what_it_was_given_stays_as_it_was():
    photo = draw("checks", 1)
    before = photo.copy()

    views(photo, number=50)

    assert np.array_equal(photo, before)
