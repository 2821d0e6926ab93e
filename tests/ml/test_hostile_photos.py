"""Bombs and damaged files: each is answered or refused, at once, and nothing else comes out."""

import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ml.containers import BrokenContainer, exif_orientation, open_container
from ml.photos import PhotoError, decode_photo
from tests.forged import looping_exif
from tests.heic import HEIC_ROTATED
from tests.hostile import bombs
from tests.mutants import HEICS, corpus, mutant, polyglot_tails, repair_png

CODES = {"empty_file", "unsupported_format", "broken_image", "too_many_pixels"}
# Far above what each takes, far below what it would take if it were decoded.
CPU_SECONDS = 2
PHOTOS = corpus()


def outcome(data):
    """The code of a refusal, or None; anything else that comes out is an error."""
    try:
        photo = decode_photo(data)
    except PhotoError as error:
        assert error.code in CODES
        return error.code
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.ndim == 3 and photo.pixels.shape[2] == 3
    return None


@pytest.fixture
def given_to_decoders(monkeypatch):
    """How many bytes each decoder got that was asked."""
    from PIL import Image

    lengths, really_open = [], Image.open

    def listening(file, *args, **kwargs):
        lengths.append(len(file.getvalue()))
        return really_open(file, *args, **kwargs)

    monkeypatch.setattr(Image, "open", listening)
    return lengths


@pytest.mark.parametrize(
    ("make", "code"), [pytest.param(*bomb, id=name) for name, bomb in bombs().items()]
)
def test_a_bomb_gets_its_code_before_it_goes_off(make, code, given_to_decoders):
    data = make()

    started = time.process_time()
    assert outcome(data) == code
    assert time.process_time() - started < CPU_SECONDS

    if data[4:8] != b"ftyp":  # an AVIF's decoder reads its own header
        # No decoder sees a bomb; nor, beside a photo's pixels, what is not pixels.
        assert len(given_to_decoders) == (code is None)
        assert sum(given_to_decoders) < 100_000


@pytest.mark.parametrize("name", PHOTOS)
def test_whole_photos_are_answered(name):
    assert outcome(PHOTOS[name]) is None


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("tail", polyglot_tails(), ids=["ZIP", "page", "script", "PHP"])
def test_what_is_something_else_too_is_a_photo_and_no_more(name, tail):
    photo = decode_photo(PHOTOS[name] + tail)

    assert (photo.pixels == decode_photo(PHOTOS[name]).pixels).all()


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_cut_anywhere_is_refused_or_answered(name):
    whole = PHOTOS[name]

    for length in range(0, len(whole), 1 + len(whole) // 50):
        outcome(whole[:length])


@pytest.mark.parametrize("part", range(4))
def test_thousands_of_damaged_photos(part):
    """The first ones of what `benchmarks.fuzzing` tries a million of."""
    for seed in range(part * 1000, (part + 1) * 1000):
        outcome(mutant(seed))


def test_damaged_heics():
    for seed in range(6):
        outcome(mutant(seed, list(HEICS.values())))


edits = st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=8)), max_size=6)


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(sorted(PHOTOS)), edits=edits, rest=st.binary(max_size=20))
def test_edited_photos(name, edits, rest):
    data = bytearray(PHOTOS[name])
    for place, new in edits:
        start = place % len(data)
        data[start : start + len(new)] = new

    outcome(repair_png(bytes(data + rest)))


@settings(max_examples=300, deadline=None)
@given(
    header=st.sampled_from((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP")),
    rest=st.binary(max_size=300),
)
def test_any_bytes_have_a_structure_or_none(header, rest):
    try:
        container = open_container(header + rest)
    except BrokenContainer:
        return
    assert container.width > 0 and container.height > 0 and container.frames > 0
    assert 1 <= container.orientation <= 8


@given(st.binary(max_size=200))
@example(looping_exif())
@example(b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
def test_any_exif_has_an_orientation(rest):
    for head in (b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"):
        assert 1 <= exif_orientation(head + rest) <= 8


def test_a_decoder_that_is_killed_is_a_refusal(monkeypatch):
    """By the operating system, for taking more than it may: here no processor time at all."""
    monkeypatch.setattr("ml.heic._TIMEOUT", 0.001)

    assert outcome(HEIC_ROTATED) == "broken_image"
