"""Tiny photos of every kind that we accept, made by code, and the same photos damaged by chance."""

import random
import re
import struct
import zipfile
import zlib
from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image

from tests.heic import HEIC, HEIC_ROTATED
from tests.photos import encode

_SIZE = (24, 16)
_PNG = b"\x89PNG\r\n\x1a\n"
_HEADERS = (
    *(b"\xff\xd8\xff\xe0", _PNG, b"GIF89a", b"GIF87a", b"RIFF\x10\0\0\0WEBPVP8X", b"BM", b"II*\0"),
    *(b"RIFF\x10\0\0\0WEBPVP8L", b"\0\0\0\x18ftypavif", b"%PDF-1.7\n"),
)
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def polyglot_tails():
    """What is also something else: a ZIP, a page, a script, a PHP program."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("evil.txt", "x" * 100)
    return (
        archive.getvalue(),
        b"<html><script>alert(1)</script></html>",
        b"*/=1;alert(document.cookie)//",
        b"<?php system($_GET['c']); ?>",
    )


@cache
def corpus():
    """Whole photos by name, each a few hundred bytes; HEIC is apart, since it is decoded apart."""
    chance = np.random.default_rng(7)
    small = chance.integers(0, 256, (4, 6, 3), np.uint8)
    image = Image.fromarray(small).resize(_SIZE)
    moving = {"save_all": True, "append_images": [image.rotate(90), image.rotate(180)]}
    return {**_jpegs(image, moving), **_pngs(image, moving), **_others(image, moving)}


def _jpegs(image, moving):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    exif.get_ifd(0x8825)[1] = "N"
    comment = b"<?php system($_GET['c']); ?>"
    return {
        "jpeg": encode(image, quality=80, subsampling=0),
        "jpeg 4:2:0 with EXIF": encode(image, exif=exif, quality=50, comment=comment),
        "jpeg with restarts": encode(image, restart_marker_blocks=1),
        "jpeg progressive": encode(image, progressive=True),
        "jpeg CMYK": encode(image.convert("CMYK")),
        "jpeg grey": encode(image.convert("L"), icc_profile=b"\0" * 200),
        "jpeg MPO": encode(image, "MPO", **moving),
    }


def _pngs(image, moving):
    grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
    return {
        "png": encode(image, "PNG"),
        "png with alpha and EXIF": encode(image.convert("RGBA"), "PNG", orientation=8),
        "png palette": encode(image.quantize(16), "PNG", transparency=3),
        "png 1 bit": encode(image.convert("1"), "PNG"),
        "png 16 bit": encode(Image.fromarray(grey), "PNG"),
        "png 16 bit interlaced": _interlaced_png(8, 8),
        "png animated": encode(image, "PNG", **moving),
    }


def _others(image, moving):
    return {
        "webp": encode(image, "WEBP"),
        "webp lossless": encode(image.convert("RGBA"), "WEBP", lossless=True),
        "webp with EXIF": encode(image, "WEBP", orientation=3),
        "webp animated": encode(image, "WEBP", **moving),
        "gif": encode(image, "GIF", comment=b"<script>"),
        "gif animated": encode(image.quantize(8), "GIF", **moving, transparency=2, disposal=2),
        "avif": encode(image, "AVIF", orientation=6, max_threads=1),
        "avif grey": encode(image.convert("L"), "AVIF", max_threads=1),
        "avif animated": encode(image, "AVIF", **moving, max_threads=1),
    }


HEICS = {"heic": HEIC, "heic turned": HEIC_ROTATED}


def png_chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_bytes(width, height, bits, colour_type, rows, extra=(), interlaced=0, packed_rows=None):
    """A PNG by hand: what Pillow writes is too well-behaved. `extra` lies before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, interlaced)
    chunks = (png_chunk(b"IDAT", packed_rows or zlib.compress(rows)), png_chunk(b"IEND", b""))
    return b"".join((_PNG, png_chunk(b"IHDR", header), *extra, *chunks))


def _interlaced_png(width, height):
    """16 bits RGB in Adam7's seven passes."""
    rows = b""
    for left, top, across, down in (
        *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
        *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
    ):
        wide, high = len(range(left, width, across)), len(range(top, height, down))
        rows += (b"\0" + bytes(range(6)) * wide) * high
    return png_bytes(width, height, 16, 2, rows, interlaced=1)


def mutant(seed, photos=None):
    """A damaged photo, the same for the same seed: one to four kinds of damage, one on another."""
    chance = random.Random(seed)
    photos = photos or list(corpus().values())
    data = bytearray(chance.choice(photos))
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        data = chance.choice(_DAMAGES)(data, chance, photos)
    # Else a wrong checksum would hide what lies behind it.
    return repair_png(bytes(data)) if data[:8] == _PNG and chance.random() < 0.8 else bytes(data)


def repair_png(data):
    """The same chunks with right checksums."""
    repaired, place = bytearray(data), 8
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4])
        if end + 4 > len(data):
            break
        repaired[end : end + 4] = struct.pack(">I", zlib.crc32(data[place + 4 : end]))
        place = end + 4
    return bytes(repaired)


def _flip_bits(data, chance, photos):
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def _set_extremes(data, chance, photos):
    """Sizes, counts and offsets at the ends of their ranges, in either order of bytes."""
    for _ in range(chance.choice((1, 2, 4))):
        length = chance.choice((1, 2, 4))
        value = chance.choice(_EXTREMES) & ((1 << 8 * length) - 1)
        place = chance.randrange(len(data) + 1)
        data[place : place + length] = value.to_bytes(length, chance.choice(("big", "little")))
    return data


def _cut(data, chance, photos):
    return data[: chance.randrange(len(data) + 1)]


def _remove(data, chance, photos):
    start = chance.randrange(len(data) + 1)
    del data[start : start + chance.choice((1, 2, 4, 16, 100))]
    return data


def _repeat(data, chance, photos):
    start = chance.randrange(len(data) + 1)
    piece = data[start : start + chance.choice((1, 4, 12, 50, 300))]
    data[start:start] = piece * chance.choice((1, 2, 10))
    return data


def _insert(data, chance, photos):
    place = chance.randrange(len(data) + 1)
    data[place:place] = chance.randbytes(chance.choice((1, 2, 8, 64)))
    return data


def _join(data, chance, photos):
    return data + chance.choice(photos)


def _splice(data, chance, photos):
    other = chance.choice(photos)
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other)) :]


def _swap_header(data, chance, photos):
    header = chance.choice(_HEADERS)
    return bytearray(header) + data[chance.choice((0, len(header))) :]


def _polyglot(data, chance, photos):
    tail = chance.choice(polyglot_tails())
    if data[:6] == b"GIF89a" and chance.random() < 0.5:  # its width and height begin a comment
        data[6:10] = b"/*/*"
    return data + tail


def _shuffle_pieces(data, chance, photos):
    """Chunks, boxes or segments in another order: cut where names or markers begin."""
    places = [m.start() for m in re.finditer(rb"[A-Za-z]{3}[A-Za-z ]|\xff[\xc0-\xfe]", data)]
    edges = [0, *places, len(data)]
    pieces = [data[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    middle = pieces[1:]
    chance.shuffle(middle)
    return bytearray().join((pieces[0], *middle))


_DAMAGES = (
    *(_flip_bits, _flip_bits, _set_extremes, _set_extremes, _cut, _remove, _repeat, _insert),
    *(_join, _splice, _swap_header, _polyglot, _shuffle_pieces),
)
