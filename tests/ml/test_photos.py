import random
import threading

import numpy as np
import pytest
from PIL import Image

from ml import photos as photos_module
from ml.photos import PhotoError, as_jpeg, decode_photo, fit
from tests.heic import HEIC, HEIC_ROTATED
from tests.mutants import png_bytes
from tests.photos import chelsea, drawn_pixels, encode, photo_bytes

FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "AVIF"]


def refusal(data, **limits):
    with pytest.raises(PhotoError) as caught:
        decode_photo(data, **limits)
    return caught.value


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_is_decoded(format):
    photo = decode_photo(encode(Image.fromarray(chelsea()), format))

    assert (photo.format, photo.width, photo.height) == (format, 451, 300)
    assert np.abs(photo.pixels.astype(int) - chelsea()).mean() < 4


def test_heic_is_decoded():
    photo = decode_photo(HEIC)

    assert (photo.format, photo.width, photo.height) == ("HEIC", 64, 48)
    assert np.abs(photo.pixels.astype(int) - drawn_pixels()).mean() < 6


def test_a_turned_heic_is_turned_once():
    photo = decode_photo(HEIC_ROTATED)

    assert (photo.width, photo.height) == (48, 64)
    assert np.abs(photo.pixels.astype(int) - drawn_pixels((48, 64))[:, ::-1]).mean() < 6


def test_a_heic_that_crashes_its_decoder_is_refused_and_we_live_on():
    # Two bytes of the metadata changed: pi_heif 1.4 follows a null pointer.
    deadly = bytearray(HEIC_ROTATED)
    deadly[179], deadly[471] = 218, 102

    assert refusal(bytes(deadly)).code == "broken_image"


def test_too_many_pixels_of_a_heic_are_refused_from_the_header():
    assert refusal(HEIC, max_pixels=64 * 48 - 1).code == "too_many_pixels"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_in_each_format(format, orientation):
    photo = decode_photo(photo_bytes((64, 48), format, orientation=orientation, quality=95))

    # Where EXIF says the first row and column of the file are, seen upright.
    left_to_right = orientation in (1, 4, 5, 8)
    top_to_bottom = orientation in (1, 2, 5, 6)
    expected = drawn_pixels((64, 48) if orientation < 5 else (48, 64))
    expected = expected if left_to_right else expected[:, ::-1]
    expected = expected if top_to_bottom else expected[::-1]
    assert (photo.height, photo.width) == expected.shape[:2]
    assert np.abs(photo.pixels.astype(int) - expected).mean() < 6


def test_exif_that_cannot_be_read_is_ignored():
    data = photo_bytes(orientation=6)
    broken = data.replace(b"Exif\0\0MM\0*", b"Exif\0\0MM\xff*").replace(
        b"Exif\0\0II*\0", b"Exif\0\0II\xff\xff"
    )

    assert broken != data
    assert decode_photo(broken).width == 64


def test_transparency_is_laid_over_white():
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))

    assert (decode_photo(encode(image, "PNG")).pixels == 255).all()


def test_a_half_transparent_red_becomes_pink():
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 128))

    pixel = decode_photo(encode(image, "PNG")).pixels[0, 0]

    assert pixel.tolist() == pytest.approx([255, 127, 127], abs=1)


def test_a_transparent_palette_colour_is_laid_over_white():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])

    assert (decode_photo(encode(image, "GIF", transparency=1)).pixels == 255).all()


@pytest.mark.parametrize(("mode", "format"), [("L", "JPEG"), ("1", "PNG"), ("LA", "PNG")])
def test_grey_photos_become_rgb(mode, format):
    pixels = decode_photo(photo_bytes(format=format, mode=mode)).pixels

    assert pixels.shape == (48, 64, 3)
    assert (pixels[..., 0] == pixels[..., 2]).all()


@pytest.mark.parametrize(("mode", "format"), [("CMYK", "JPEG"), ("P", "PNG"), ("P", "GIF")])
def test_cmyk_and_palette_keep_their_colours(mode, format):
    pixels = decode_photo(photo_bytes(format=format, mode=mode)).pixels

    assert np.abs(pixels[40, 50].astype(int) - (200, 120, 40)).max() < 25


def test_16_bit_grey_is_scaled_and_not_clipped():
    image = Image.fromarray(np.full((8, 8), 0x8000, np.uint16))

    assert decode_photo(encode(image, "PNG")).pixels[0, 0].tolist() == [128, 128, 128]


def test_16_bit_colour_is_scaled():
    row = b"\0" + bytes([0xFF, 0xFF, 0x80, 0x00, 0x00, 0x00]) * 8

    pixel = decode_photo(png_bytes(8, 8, 16, 2, row * 8)).pixels[0, 0]

    assert pixel.tolist() == [255, 128, 0]


def test_a_moving_gif_gives_its_first_frame():
    red, blue = Image.new("RGB", (20, 20), "red"), Image.new("RGB", (20, 20), "blue")

    photo = decode_photo(encode(red, "GIF", save_all=True, append_images=[blue]))

    assert photo.pixels[0, 0].tolist() == [255, 0, 0]


def test_a_phones_jpeg_with_further_pictures_is_a_jpeg():
    image = Image.fromarray(drawn_pixels())

    photo = decode_photo(encode(image, "MPO", save_all=True, append_images=[image]))

    assert photo.format == "JPEG"


def test_a_large_photo_keeps_its_size_on_paper_and_is_held_smaller():
    photo = decode_photo(photo_bytes((2400, 1800), orientation=6))

    assert (photo.width, photo.height) == (1800, 2400)
    assert 520 <= min(photo.pixels.shape[:2]) < 1100


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_photo_is_turned_and_reduced_in_bands_as_if_at_once(monkeypatch, orientation):
    image = Image.fromarray(chelsea()).resize((1301, 1117))
    image.putalpha(image.convert("L"))
    data = encode(image, "PNG", orientation=orientation, compress_level=1)

    monkeypatch.setattr("ml.photos._BAND", 10**9)
    at_once = decode_photo(data).pixels
    monkeypatch.setattr("ml.photos._BAND", 30_000)
    in_bands = decode_photo(data).pixels

    assert min(at_once.shape[:2]) == 559
    assert (in_bands == at_once).all()


def test_large_photos_are_decoded_one_at_a_time(monkeypatch):
    monkeypatch.setattr("ml.photos._LARGE", 64 * 48 - 1)
    photos = []
    large = threading.Thread(target=lambda: photos.append(decode_photo(photo_bytes())))

    with photos_module._one_large:  # as if one were being decoded
        large.start()
        decode_photo(photo_bytes((32, 24)))  # a small one need not wait
        large.join(timeout=0.2)
        assert photos == []

    large.join(timeout=60)
    assert photos[0].width == 64


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"oops", "unsupported_format"),
        (b"%PDF-1.7", "unsupported_format"),
        (photo_bytes(format="TIFF"), "unsupported_format"),
        (photo_bytes(format="BMP"), "unsupported_format"),
        (b"\xff\xd8\xff", "broken_image"),
        (b"GIF89a", "broken_image"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "broken_image"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "broken_image"),
        (b"\0\0\0\x18ftypavif" + bytes(40), "broken_image"),
        (png_bytes(20, 20, 8, 2, b""), "broken_image"),
        (png_bytes(13_000, 13_000, 8, 2, b""), "too_many_pixels"),
        (b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\2D\1\0;", "too_many_pixels"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:12]),
)
def test_what_is_no_photo_gets_its_code(data, code):
    assert refusal(data).code == code


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_photo_cut_short_is_refused_or_whole(format, share):
    data = encode(Image.fromarray(chelsea()), format)

    try:
        photo = decode_photo(data[: int(len(data) * share)])
    except PhotoError as error:
        assert error.code == "broken_image"
    else:  # some formats can do without their last bytes
        assert photo.pixels.shape == (300, 451, 3)


@pytest.mark.parametrize("format", FORMATS)
def test_random_damage_is_refused_or_harmless(format):
    """A small sample of what a long fuzzing run tries."""
    chance = random.Random(format)
    whole = photo_bytes((97, 61), format)

    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 4, 16))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            photo = decode_photo(bytes(damaged))
        except PhotoError as error:
            assert error.code in ("unsupported_format", "broken_image", "too_many_pixels")
        else:
            assert photo.pixels.dtype == np.uint8


def test_all_frames_count():
    frames = [Image.new("L", (100, 100), shade) for shade in range(20)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert refusal(data, max_pixels=100_000).code == "too_many_pixels"
    assert decode_photo(data, max_pixels=200_000).width == 100


def test_a_refusal_says_what_came_in_and_what_is_accepted():
    assert str(refusal(photo_bytes((64, 48)), max_pixels=1000)) == (
        "The photo is 64 × 48 pixels; at most 1,000 pixels are accepted."
    )


@pytest.mark.parametrize("shape", [(48, 64), (64, 48), (224, 224), (1, 500), (500, 1), (1, 1)])
def test_fit_gives_a_square_of_any_shape(shape):
    square = fit(np.zeros((*shape, 3), np.uint8), 224)

    assert square.shape == (224, 224, 3)
    assert square.dtype == np.uint8


def test_fit_takes_the_middle():
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, 100:200] = 255

    assert fit(pixels, 100).min() > 250


# The numbers that training and serving agree on. If this test fails, photos are prepared
# differently than for the versions that exist: give ml.photos.PREPROCESSING a new name.
GOLDEN = {
    (0, 0): (121, 63, 49),
    (56, 168): (186, 151, 122),
    (112, 112): (191, 150, 124),
    (223, 223): (174, 152, 142),
}


def test_preprocessing_gives_the_golden_numbers():
    data = encode(Image.fromarray(chelsea()), "PNG")

    square = fit(decode_photo(data).pixels, 224)

    for (row, column), expected in GOLDEN.items():
        assert square[row, column].tolist() == pytest.approx(expected, abs=1), (row, column)
    assert square.mean() == pytest.approx(112.293, abs=0.01)


def test_a_shown_jpeg_is_small_and_keeps_its_proportions():
    data = as_jpeg(np.zeros((600, 1200, 3), np.uint8), 640)

    shown = decode_photo(data)
    assert (shown.width, shown.height) == (640, 320)
