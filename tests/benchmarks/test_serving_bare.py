"""The bare loop answers as many photos as it is asked for, each way, and stops in time."""

from pathlib import Path

import pytest

from benchmarks.bare import WAYS, bare_loop
from benchmarks.photos import split
from ml.registry import list_versions
from tests.photos import photo_bytes

MODELS = Path(__file__).resolve().parents[2] / "models"


@pytest.mark.parametrize("way", WAYS)
def test_it_answers_what_it_is_asked(way, tmp_path):
    photos = [split(photo_bytes((64 + i, 48)), "JPEG") for i in range(3)]
    with bare_loop(way, MODELS / list_versions(MODELS)[0], photos, tmp_path) as loop:
        pace, late = loop.run(7, 60), loop.run(1000, 0)

    assert pace.photos == 7
    assert pace.seconds > 0
    assert pace.cpu > 0
    assert late.photos < 10
