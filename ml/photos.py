"""Turn untrusted bytes into upright RGB pixels, and pixels into what a network takes in.

Training and serving both pass through `decode_photo` and `fit`, so they cannot disagree.
"""

import hashlib
import io
import time
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from ml.heic import decode_heic

# Names what decode_photo and fit do to a photo. Features are cached and versions are bound to it:
# a change that moves a pixel needs a new name.
PREPROCESSING = "centre-crop-bicubic-1"

MAX_PIXELS = 50_000_000

# Twice the side of the largest backbone (260), so that the one scaling that a person would notice,
# fit()'s bicubic, always has pixels to spare. What lies above is dropped while decoding.
_WORKING_SIDE = 520

# What Pillow decodes here; HEIC is decoded apart.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
# Where our name differs from Pillow's. An MPO is a JPEG with further pictures behind it.
_NAMES = {"MPO": "JPEG"}
_AVIF = {b"avif", b"avis"}
_AVIF_OR_HEIC = _AVIF | {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_ACCEPTED = "JPEG, PNG, WebP, GIF, AVIF or HEIC"

# We refuse by the header at a lower limit than Pillow's, which would only warn.
Image.MAX_IMAGE_PIXELS = None


# Format, upright width and height, pixels.
_Decoded = tuple[str, int, int, np.ndarray]


class PhotoError(Exception):
    """Why some bytes are not a photo we can answer, for the person who sent them.

    Args:
        message: What was wrong, what was expected and what came in.
        code: One of the contract's codes: `empty_file`, `unsupported_format`, `broken_image`,
            `too_many_pixels`.
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
    """
    started = time.perf_counter()
    if not data:
        raise PhotoError("The file is empty.", code="empty_file")
    if not _looks_like_a_photo(data):
        raise PhotoError(f"This is not a {_ACCEPTED} photo.", code="unsupported_format")
    try:
        decode = _decode_heic if _is_heic(data) else _decode
        photo_format, width, height, pixels = decode(data, max_pixels)
    except (PhotoError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  Pillow's plugins let almost any error out of broken bytes.
        raise PhotoError(
            "The photo is broken or cut short: it cannot be read to its end.",
            code="broken_image",
        ) from error
    sha256 = hashlib.sha256(data).hexdigest()
    decode_ms = (time.perf_counter() - started) * 1000
    return Photo(data, sha256, photo_format, width, height, pixels, decode_ms)


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
    what = f"{width} × {height} pixels" + (f" in {frames} frames" if frames > 1 else "")
    raise PhotoError(
        f"The photo is {what}; at most {max_pixels:,} pixels are accepted.",
        code="too_many_pixels",
    )


def _decode_heic(data: bytes, max_pixels: int) -> _Decoded:
    size, picture = decode_heic(data, max_pixels, _WORKING_SIDE)
    _refuse_too_many_pixels(*size, max_pixels)
    with Image.open(io.BytesIO(picture), formats=["PPM"]) as image:
        return "HEIC", *size[:2], np.asarray(image)


def _decode(data: bytes, max_pixels: int) -> _Decoded:
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        _refuse_too_many_pixels(*image.size, _num_frames(image, max_pixels), max_pixels)
        name = str(image.format)
        return _NAMES.get(name, name), *_read(image)


def _num_frames(image: Image.Image, max_pixels: int) -> int:
    # The further pictures of an MPO are previews and depth maps; they are never decoded. Nor need
    # frames be counted, which takes time, where one is too large already.
    if image.format == "MPO" or image.width * image.height > max_pixels:
        return 1
    return int(getattr(image, "n_frames", 1))


def _read(image: Image.Image) -> tuple[int, int, np.ndarray]:
    """Upright width and height of the whole photo, and its pixels, smaller where it is large."""
    width, height = image.size
    # A JPEG can be decoded at a half, a quarter or an eighth: of 12 megapixels in 37 ms, not 154.
    image.draft(None, (_WORKING_SIDE, _WORKING_SIDE))
    decoded_width, decoded_height = image.size
    upright = _upright(image)
    if (upright.width > upright.height) != (decoded_width > decoded_height):
        width, height = height, width
    rgb = _to_rgb(upright)
    factor = min(rgb.size) // _WORKING_SIDE
    if factor > 1:
        rgb = rgb.reduce(factor)
    return width, height, np.asarray(rgb)


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001  EXIF that cannot be parsed says nothing; the pixels are fine.
        return image


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
