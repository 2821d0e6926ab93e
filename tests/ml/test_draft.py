"""Large JPEGs are decoded at a fraction of their size, and answered as if they were not."""

import pytest
from django.conf import settings
from PIL import Image

from benchmarks.draft import compare, enlarged, without_scaling
from ml.inference import OnnxEngine
from ml.photos import decode_photo
from tests.photos import chelsea
from tests.shipped import ANSWERS, MODELS


@pytest.fixture(scope="module")
def engine():
    return OnnxEngine(MODELS / ANSWERS)


# 40 photos moved a probability by less than this, see docs/reliability/uploads.md.
MOVED_AT_MOST = 0.01


@pytest.mark.parametrize("megapixels", [3, 7])
def test_a_large_cat_is_answered_as_in_full(engine, megapixels):
    difference = compare(engine, enlarged(Image.fromarray(chelsea()), megapixels, 1))

    assert not difference.changed
    assert difference.moved < MOVED_AT_MOST


def test_the_two_ways_differ_indeed():
    data = enlarged(Image.fromarray(chelsea()), 3, 1)

    scaled = decode_photo(data).pixels
    with without_scaling():
        full = decode_photo(data).pixels

    assert scaled.shape == full.shape
    assert (scaled != full).any()


@pytest.mark.needs_data
@pytest.mark.parametrize("label", ["cat", "dog"])
def test_real_photos_are_answered_as_in_full(engine, label):
    paths = sorted((settings.DATA_DIR / label).glob("*.jpg"))[:2]

    for seed, path in enumerate(paths):
        difference = compare(engine, enlarged(Image.open(path), 3, seed))
        assert not difference.changed
        assert difference.moved < MOVED_AT_MOST
