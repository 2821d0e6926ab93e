"""Files that mean harm: a few bytes that would take seconds or gigabytes to decode. Made by code.

`bombs()` names them all, each with the code that it gets, or None where it is a photo all the same
and only what is beside its pixels is a bomb.
"""

import random
import struct

from PIL import Image

from tests.forged import (
    MAX_BYTES,
    SIDE,
    avif,
    avif_with_exif,
    box,
    comment,
    gif,
    jpeg_with,
    looping_exif,
    many_profiles,
    packed,
    patched_size,
    progressive,
    resized,
    segment,
    webp_canvas,
    webp_frames,
)
from tests.heic import HEIC
from tests.mutants import png_bytes, png_chunk
from tests.photos import encode


def bombs():
    """Makers by name, with the code of the refusal, or None for an answer."""
    return {**_gif_bombs(), **_png_bombs(), **_jpeg_bombs(), **_other_bombs()}


def largest():
    """What we accept and takes most to decode: 49 megapixels each, made in seconds."""
    plain = Image.new("RGB", (SIDE, SIDE), "red")
    return {
        "JPEG": (lambda: encode(plain), None),
        "JPEG progressive": (lambda: encode(plain, progressive=True, subsampling=0), None),
        "JPEG of 16 scans": (lambda: progressive(16), None),
        "PNG": (lambda: encode(plain, "PNG"), None),
        "PNG with alpha": (lambda: encode(plain.convert("RGBA"), "PNG", orientation=6), None),
        "GIF": (lambda: encode(plain, "GIF"), None),
        "WebP lossless": (lambda: encode(plain, "WEBP", lossless=True, method=0), None),
        "WebP animated": (
            lambda: encode(
                plain.resize((4000, 4000)),
                "WEBP",
                save_all=True,
                append_images=[Image.new("RGB", (4000, 4000))],
                method=0,
            ),
            None,
        ),
        "AVIF": (lambda: avif(SIDE), None),
        "AVIF of 121 megapixels that says 64 × 64": (
            lambda: patched_size(avif(11_000), 64),
            None,
        ),
    }


def _gif_bombs():
    huge = gif(0xFFFF, 0xFFFF)
    return {
        "GIF of 65535 × 65535": (lambda: huge, "too_many_pixels"),
        "GIF of 1 × 1 whose frame is 65535 × 65535": (
            lambda: gif(1, 1, frame=(0xFFFF, 0xFFFF), before=b"!\xf9\4\x09\0\0\0\0"),
            "too_many_pixels",
        ),
        "GIF of 10,000 frames": (lambda: gif(100, 100, frames=10_000), "too_many_pixels"),
        "GIF of 10,000 tiny frames": (lambda: gif(10, 10, frames=10_000), None),
        "GIF with 20 MB of comments": (lambda: gif(9, 9, before=comment(255)), None),
        "GIF in blocks of one byte": (lambda: gif(9, 9, before=comment(1)), "broken_image"),
        "GIF with 20 MB of junk": (lambda: gif(9, 9, before=bytes(MAX_BYTES)), "broken_image"),
    }


def _png_bombs():
    frames = [png_chunk(b"acTL", struct.pack(">II", 10_000, 0))]
    frames += [png_chunk(b"fcTL", bytes(26)), png_chunk(b"fdAT", bytes(20))] * 10_000
    empty = png_chunk(b"tEXt", b"") * (MAX_BYTES // 12)
    small = {"width": 8, "height": 8, "bits": 8, "colour_type": 0, "rows": bytes(9 * 8)}
    return {
        "PNG of 13,000 × 13,000": (
            lambda: png_bytes(13_000, 13_000, 8, 2, b""),
            "too_many_pixels",
        ),
        "PNG of 10,000 frames": (
            lambda: png_bytes(100, 100, 8, 0, bytes(101 * 100), frames),
            "too_many_pixels",
        ),
        **{
            f"PNG with 100 MB packed in {name}": (
                lambda name=name: png_bytes(
                    **small, extra=[png_chunk(name.encode(), b"x\0\0" + packed())]
                ),
                None,
            )
            for name in ("zTXt", "iCCP")
        },
        "PNG with 100 MB packed in iTXt": (
            lambda: png_bytes(**small, extra=[png_chunk(b"iTXt", b"x\0\1\0\0\0" + packed())]),
            None,
        ),
        "PNG with 100 MB packed as EXIF": (
            lambda: png_bytes(
                **small, extra=[png_chunk(b"zTXt", b"Raw profile type exif\0\0" + packed())] * 20
            ),
            None,
        ),
        "PNG with 50,000 times 256 KB packed as EXIF": (
            lambda: png_bytes(**small, extra=[many_profiles()]),
            None,
        ),
        "PNG with 100 MB more pixels than it has": (
            lambda: png_bytes(**small, packed_rows=packed()),
            None,
        ),
        "PNG of 1.6 million chunks": (
            lambda: png_bytes(**small, extra=[empty]),
            "broken_image",
        ),
    }


def _jpeg_bombs():
    exif = segment(0xE1, b"Exif\0\0" + looping_exif()[:65_000])
    profile = segment(0xE2, b"ICC_PROFILE\0\1\xff" + bytes(65_000))
    return {
        "JPEG of 65535 × 65535": (lambda: resized(0xFFFF, 0xFFFF), "too_many_pixels"),
        "JPEG of 65500 × 1": (lambda: encode(Image.new("RGB", (65_500, 1))), None),
        "JPEG with EXIF that points to itself": (lambda: jpeg_with(exif), None),
        "JPEG with 20 MB of EXIF": (lambda: jpeg_with(exif * 300), None),
        "JPEG with 20 MB of colour profile": (lambda: jpeg_with(profile * 300), None),
        "JPEG of 5 million comments": (
            lambda: jpeg_with(segment(0xFE, b"") * (MAX_BYTES // 4)),
            "broken_image",
        ),
        "JPEG with 20 MB of tables": (
            lambda: jpeg_with(segment(0xDB, (b"\0" + b"\1" * 64) * 1000) * 300),
            "broken_image",
        ),
        "JPEG with 20 MB of padding": (lambda: jpeg_with(b"\xff" * MAX_BYTES), "broken_image"),
        "JPEG of 2,000 scans": (lambda: progressive(2_000), "broken_image"),
        "JPEG of 2 million scans": (lambda: progressive(MAX_BYTES // 10), "broken_image"),
        "JPEG of 1,000 scans of 64 × 48": (lambda: progressive(1_000, 64, 48), "broken_image"),
    }


def _other_bombs():
    rest = random.Random(1).randbytes(1000)
    return {
        "WebP with a canvas of 16 million × 16 million": (
            lambda: webp_canvas(1 << 24, 1 << 24),
            "too_many_pixels",
        ),
        "WebP of 16384 × 16384": (
            lambda: b"RIFF\xff\0\0\0WEBPVP8L\xf0\0\0\0\x2f\xff\xff\xff\x0f" + rest,
            "too_many_pixels",
        ),
        "WebP of 10,000 frames": (lambda: webp_frames(10_000), "too_many_pixels"),
        "AVIF of 65535 × 65535": (lambda: patched_size(avif(), 0xFFFF), "broken_image"),
        "AVIF of 13,000 × 13,000": (lambda: patched_size(avif(), 13_000), "too_many_pixels"),
        "AVIF larger than it says": (lambda: patched_size(avif(2000), 64), None),
        "AVIF with EXIF that points to itself": (avif_with_exif, None),
        "AVIF of a million items": (
            lambda: avif() + box(b"free", (b"infe" + bytes(8) + b"Exif") * 1_000_000),
            None,
        ),
        "HEIC of a million sizes": (
            lambda: HEIC + box(b"free", box(b"ispe", bytes(12)) * 900_000),
            None,
        ),
        "HEIC of 65535 × 65535": (lambda: patched_size(HEIC, 0xFFFF), "too_many_pixels"),
        "BMP that lies": (
            lambda: b"BM" + struct.pack("<IIIIii", 54, 0, 54, 40, 1 << 30, -(1 << 31)) + rest,
            "unsupported_format",
        ),
    }
