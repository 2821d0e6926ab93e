"""Turn untrusted bytes into upright RGB pixels, and pixels into what a network takes in.

Training and serving both pass through `decode_photo` and `fit`, so they cannot disagree.
"""

import contextlib
import hashlib
import io
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ml.containers import exif_orientation, open_container
from ml.heic import declared_size, decode_heic
from ml.sentences import Sentence

# Names what decode_photo and fit do to a photo. Features are cached and versions are bound to it:
# a change that moves a pixel needs a new name.
PREPROCESSING = "centre-crop-bicubic-1"

MAX_PIXELS = 50_000_000
MAX_BYTES = 20_000_000

# Well above the side of the largest network (384), so that the one scaling that a person would
# notice, fit()'s bicubic, always has pixels to spare. What lies above is dropped while decoding.
_WORKING_SIDE = 520

# Photos above this many pixels are decoded one at a time: each may take several hundred megabytes.
_LARGE = 16_000_000
_one_large = threading.Lock()
# Pixels that are turned, laid over white and reduced at a time.
_BAND = 1_000_000

# What lies beyond is left to Pillow's own limits.
_MOST_EXIF = 1_000

# How pixels are turned upright, by EXIF's number.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# An item of an AVIF that is EXIF: its name, version, number and protection lie before its type.
_AVIF_EXIF = re.compile(rb"(infe.{8}(?:..)?)Exif", re.DOTALL)
_AVIF = {b"avif", b"avis"}
_AVIF_OR_HEIC = _AVIF | {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_UNKNOWN = Sentence("This is not a JPEG, PNG, WebP, GIF, AVIF or HEIC photo.")

# We refuse by the header at a lower limit than Pillow's, which would only warn.
Image.MAX_IMAGE_PIXELS = None


# Format, upright width and height, pixels.
_Decoded = tuple[str, int, int, np.ndarray]


class PhotoError(Exception):
    """Why some bytes are not a photo we can answer, for the person who sent them.

    Args:
        message: What was wrong, what was expected and what came in.
        code: One of the contract's codes: `empty_file`, `unsupported_format`, `broken_image`,
            `too_many_pixels`, `too_large`.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Photo:
    """A photo as it came and as it looks.

    Attributes:
        data: The bytes as they were sent.
        sha256: Their SHA-256, 64 hexadecimal digits.
        format: `JPEG`, `PNG`, `WEBP`, `GIF`, `AVIF` or `HEIC`.
        width: Width in pixels as a person sees the photo, upright.
        height: Height in pixels, likewise.
        pixels: Upright RGB, `uint8`, shape `(h, w, 3)`. A large photo is held smaller than
            `(height, width)`, never with a short side below 520 pixels on that account.
        decode_ms: Milliseconds that decoding took.
    """

    data: bytes
    sha256: str
    format: str
    width: int
    height: int
    pixels: np.ndarray
    decode_ms: float


def decode_photo(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Decode the bytes of one photo, judging them by content alone.

    Args:
        data: A whole file: JPEG, PNG, WebP, GIF (its first frame), AVIF or HEIC.
        max_pixels: Most pixels accepted, all frames counted, read from the header before decoding.

    Returns:
        A `Photo`: upright by its EXIF orientation, transparency laid over white, 8 bits RGB.

    Raises:
        PhotoError: with the code `empty_file`, `unsupported_format`, `too_many_pixels` or
            `broken_image`.
        MemoryError: if there is no room for its pixels: no fault of the photo.
    """
    started = time.perf_counter()
    if not data:
        raise PhotoError(Sentence("The file is empty."), code="empty_file")
    if not _looks_like_a_photo(data):
        raise PhotoError(_UNKNOWN, code="unsupported_format")
    try:
        decode = _decode_heic if _is_heic(data) else _decode
        photo_format, width, height, pixels = decode(data, max_pixels)
    except (PhotoError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  Pillow's plugins let almost any error out of broken bytes.
        raise PhotoError(
            Sentence("The photo is broken or cut short: it cannot be read to its end."),
            code="broken_image",
        ) from error
    sha256 = hashlib.sha256(data).hexdigest()
    decode_ms = (time.perf_counter() - started) * 1000
    return Photo(data, sha256, photo_format, width, height, pixels, decode_ms)


def check_size(size: int, max_bytes: int = MAX_BYTES) -> None:
    """Refuse a file by its length, before it is read.

    Raises:
        PhotoError: with the code `too_large`.
    """
    if size > max_bytes:
        raise PhotoError(
            Sentence(
                "The file has %(size)s MB; at most %(most)s MB are accepted.",
                size=size / 1e6,
                most=round(max_bytes / 1e6),
            ),
            code="too_large",
        )


def fit(pixels: np.ndarray, side: int) -> np.ndarray:
    """Crop the middle square of a photo and scale it to what a network takes in.

    Cropping keeps an animal's proportions, which squashing does not; on photos of true shape it
    was worth 0.2 to 0.7 points of accuracy.

    Args:
        pixels: `uint8`, shape `(h, w, 3)`, of any size.
        side: Wanted side in pixels.

    Returns:
        `uint8`, shape `(side, side, 3)`.
    """
    height, width = pixels.shape[:2]
    edge = min(height, width)
    left, top = (width - edge) / 2, (height - edge) / 2
    square = Image.fromarray(pixels).resize(
        (side, side),
        Image.Resampling.BICUBIC,
        box=(left, top, left + edge, top + edge),
        reducing_gap=2.0,
    )
    return np.asarray(square)


def as_jpeg(pixels: np.ndarray, longest_side: int) -> bytes:
    """A JPEG to show, free of all metadata, at most `longest_side` pixels wide and high.

    Args:
        pixels: `uint8`, shape `(h, w, 3)`.
        longest_side: In pixels; smaller photos keep their size.
    """
    image = Image.fromarray(pixels)
    image.thumbnail((longest_side, longest_side))
    target = io.BytesIO()
    image.save(target, "JPEG", quality=85)
    return target.getvalue()


def _looks_like_a_photo(data: bytes) -> bool:
    """Whether the first bytes are those of a format we accept: a cheap first door."""
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")):
        return True
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return True
    return data[4:8] == b"ftyp" and not _AVIF_OR_HEIC.isdisjoint(_brands(data))


def _is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and _AVIF.isdisjoint(_brands(data))


def _brands(data: bytes) -> set[bytes]:
    """What an ISO media file says it is compatible with: ISO/IEC 14496-12, section 4.3."""
    end = min(int.from_bytes(data[:4]), 128)
    return {data[8:12], *(data[start : start + 4] for start in range(16, end - 3, 4))}


def _refuse_too_many_pixels(width: int, height: int, frames: int, max_pixels: int) -> None:
    if width * height * frames <= max_pixels:
        return
    sides = {"width": str(width), "height": str(height), "most": max_pixels}
    if frames > 1:
        words = Sentence(
            "The photo is %(width)s × %(height)s pixels in %(frames)s frames; at most %(most)s "
            "pixels are accepted.",
            frames=str(frames),
            **sides,
        )
    else:
        words = Sentence(
            "The photo is %(width)s × %(height)s pixels; at most %(most)s pixels are accepted.",
            **sides,
        )
    raise PhotoError(words, code="too_many_pixels")


def _decode_heic(data: bytes, max_pixels: int) -> _Decoded:
    declared = declared_size(data)
    _refuse_too_many_pixels(*declared, 1, max_pixels)
    with _room_for(declared[0] * declared[1]):
        size, picture = decode_heic(data, max_pixels, _WORKING_SIDE)
    _refuse_too_many_pixels(*size, max_pixels)
    with Image.open(io.BytesIO(picture), formats=["PPM"]) as image:
        return "HEIC", *size[:2], np.asarray(image)


def _decode(data: bytes, max_pixels: int) -> _Decoded:
    container = open_container(data)
    if container is None:
        return _decode_avif(data, max_pixels)
    size = container.width, container.height
    _refuse_too_many_pixels(*size, container.frames, max_pixels)
    with (
        _room_for(size[0] * size[1]),
        Image.open(io.BytesIO(container.data), formats=[container.format]) as image,
    ):
        if image.size != size:
            raise ValueError("The decoder sees another size than we do.")
        return container.format, *_read(image, container.orientation)


def _decode_avif(data: bytes, max_pixels: int) -> _Decoded:
    # Pillow would follow every pointer in its EXIF, only to find the orientation, which an AVIF
    # tells elsewhere.
    data = _AVIF_EXIF.sub(rb"\1free", data, count=_MOST_EXIF)
    # One at a time, whatever it says of its size: what is coded may be larger.
    with _one_large, Image.open(io.BytesIO(data), formats=["AVIF"]) as image:
        frames = getattr(image, "n_frames", 1)
        _refuse_too_many_pixels(*image.size, frames, max_pixels)
        return "AVIF", *_read(image, exif_orientation(image.info.get("exif", b"")))


@contextlib.contextmanager
def _room_for(pixels: int) -> Iterator[None]:
    """Wait until no other large photo is being decoded, if this one is large."""
    with _one_large if pixels > _LARGE else contextlib.nullcontext():
        yield


def _read(image: Image.Image, orientation: int) -> tuple[int, int, np.ndarray]:
    """Upright width and height of the whole photo, and its pixels, smaller where it is large."""
    width, height = image.size
    # A JPEG can be decoded at a half, a quarter or an eighth: of 12 megapixels in 37 ms, not 154.
    image.draft(None, (_WORKING_SIDE, _WORKING_SIDE))
    image.load()
    if orientation >= 5:
        width, height = height, width
    return width, height, _upright(image, orientation)


def _upright(image: Image.Image, orientation: int) -> np.ndarray:
    """Upright RGB pixels, reduced where they are many; a band at a time, to save memory."""
    width, height = image.size if orientation < 5 else image.size[::-1]
    factor = max(1, min(width, height) // _WORKING_SIDE)
    rows = max(1, _BAND // (width * factor)) * factor
    if rows >= height:
        return _band(image, orientation, factor)
    pixels = np.empty((-(-height // factor), -(-width // factor), 3), np.uint8)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        band = image.crop(_stored_box(image.size, orientation, top, bottom))
        start = top // factor
        reduced = _band(band, orientation, factor)
        pixels[start : start + len(reduced)] = reduced
    return pixels


def _stored_box(
    size: tuple[int, int], orientation: int, top: int, bottom: int
) -> tuple[int, int, int, int]:
    """Where the rows from `top` to `bottom` of an upright photo lie as it is stored."""
    width, height = size
    if orientation in (3, 4):
        return 0, height - bottom, width, height - top
    if orientation in (5, 6):
        return top, 0, bottom, height
    if orientation in (7, 8):
        return width - bottom, 0, width - top, height
    return 0, top, width, bottom


def _band(image: Image.Image, orientation: int, factor: int) -> np.ndarray:
    turn = _TURNS.get(orientation)
    rgb = _to_rgb(image if turn is None else image.transpose(turn))
    return np.asarray(rgb if factor == 1 else rgb.reduce(factor))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grayscale: Pillow would clip it at 255
        return _eight_bits(image).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    sixteen = np.asarray(image).astype(np.uint32)
    return Image.fromarray((np.clip(sixteen, 0, 65535) >> 8).astype(np.uint8))
