"""The photos that serving is measured with are as large as real ones, noisy, and the same again."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from benchmarks import photos
from benchmarks.processes import all_memory_mb, cpu_seconds, end_family, family, lives, memory_mb
from ml.photos import decode_photo


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    patch = pytest.MonkeyPatch()
    patch.setitem(photos.KINDS, "jpeg", ((500, 375), "JPEG", 8))
    yield folder, photos.uploads("jpeg", folder, None)
    patch.undo()


def test_a_small_jpeg_is_of_a_telephones_kind(drawn):
    _, uploads = drawn

    sizes = [len(each.whole()) for each in uploads]
    first = decode_photo(uploads[0].whole())

    assert (first.width, first.height, first.format) == (500, 375, "JPEG")
    assert 20_000 < np.mean(sizes) < 45_000


def test_every_pixel_has_noise_of_its_own(drawn):
    _, uploads = drawn

    pixels = decode_photo(uploads[1].whole()).pixels.astype(float).mean(axis=2)
    # An enlarged photo without noise has almost no difference between neighbours.
    assert np.median(np.abs(np.diff(pixels, axis=1))) > 0.5


def test_they_are_made_once_and_kept(drawn):
    folder, uploads = drawn
    written = {path: path.stat().st_mtime_ns for path in folder.rglob("*.jpeg")}

    again = photos.uploads("jpeg", folder, None)

    assert again == uploads
    assert written == {path: path.stat().st_mtime_ns for path in folder.rglob("*.jpeg")}


def test_real_photos_are_taken_from_their_folder(tmp_path, monkeypatch):
    monkeypatch.setitem(photos.KINDS, "png", ((50, 40), "PNG", 3))
    for i in range(3):
        place = tmp_path / "data" / "cat" / f"{i}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(photos_of(i))

    found = photos.uploads("png", tmp_path / "kept", tmp_path / "data")

    assert {decode_photo(each.whole()).width for each in found} == {50}


def photos_of(i):
    from tests.photos import photo_bytes

    return photo_bytes((60 + i, 40))


def test_a_process_is_measured_with_its_children():
    pause, busy = threading.Event(), "while True: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    process = subprocess.Popen([sys.executable, "-c", parent])
    try:
        while len(family(process.pid)) < 2 or cpu_seconds(process.pid) < 0.3:
            assert process.poll() is None
            pause.wait(0.02)
        everyone = family(process.pid)

        assert everyone[0] == process.pid
        assert all_memory_mb(process.pid) > memory_mb(process.pid)["pss"] > 0
    finally:
        end_family(process)
    assert not any(map(lives, everyone))
