"""Photos written byte by byte, whose headers promise more than their pixels hold."""

import struct
import warnings
import zlib
from functools import cache

from PIL import Image

from tests.mutants import png_chunk
from tests.photos import encode, photo_bytes

MAX_BYTES = 20_000_000
SIDE = 7000  # pixels; squared just below the limit


@cache
def packed():
    """100 MB of zeros, in 100 KB."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()


def many_profiles():
    """Chunks of 300 bytes, each of which unpacks to 256 KB."""
    text = b"Raw profile type exif\0\0" + zlib.compress(bytes(256 * 1024), 9)
    return png_chunk(b"zTXt", text) * 49_000


def gif(width, height, *, frame=(1, 1), frames=1, before=b""):
    """A grey GIF with frames of a pixel, which say that they are of the size of `frame`."""
    wide, high = frame
    picture = b"," + struct.pack("<HHHHB", 0, 0, wide, high, 0) + b"\2\2D\1\0"
    return (
        b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + before + picture * frames + b";"
    )


def comment(length):
    """20 MB of a GIF's comment in blocks of so many bytes."""
    block = bytes([length]) + b"x" * length
    return b"!\xfe" + block * (MAX_BYTES // len(block)) + b"\0"


def segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg_with(more):
    """A drawn JPEG with more behind its first bytes."""
    data = photo_bytes()
    return data[:2] + more + data[2:]


def resized(width, height):
    """A JPEG whose header lies about its size."""
    data = photo_bytes()
    start = data.index(b"\xff\xc0") + 5
    return data[:start] + struct.pack(">HH", height, width) + data[start + 4 :]


def progressive(scans, width=SIDE, height=SIDE):
    """A grey JPEG with scans that say nothing, each of which visits every block."""
    frame = segment(0xC2, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0))
    table = segment(0xC4, b"\x10\1" + bytes(15) + b"\0")
    scan = segment(0xDA, b"\1\1\0\1\x3f\0")
    tables = segment(0xDB, b"\0" + b"\1" * 64) + frame + table
    return b"\xff\xd8" + tables + scan * scans + b"\xff\xd9"


def looping_exif():
    """EXIF of 800 KB; each of 65,535 entries holds all of it; the next directory is itself."""
    length = 8 + 2 + 65_535 * 12 + 4
    entries = b"".join(
        struct.pack(">HHII", 0x8000 + each % 0x7000, 7, length, 0) for each in range(65_535)
    )
    return b"MM\0*\0\0\0\x08" + struct.pack(">H", 65_535) + entries + struct.pack(">I", 8)


def webp_canvas(width, height):
    """An animated WebP with one frame of a pixel on a large canvas."""
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = b"VP8X\x0a\0\0\0\2\0\0\0" + sizes + b"ANIM\6\0\0\0" + bytes(6)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def webp_frames(frames):
    still = encode(Image.new("RGB", (100, 100)), "WEBP", lossless=True)[12:]
    frame = bytes(6) + (99).to_bytes(3, "little") * 2 + bytes(4) + still
    chunk = b"ANMF" + struct.pack("<I", len(frame)) + frame
    data = webp_canvas(100, 100) + chunk * frames
    return b"RIFF" + struct.pack("<I", len(data) - 8) + data[8:]


def box(name, body):
    """A box of an ISO media file."""
    return struct.pack(">I4s", len(body) + 8, name) + body


def avif(side=64, **options):
    return encode(Image.new("RGB", (side, side)), "AVIF", max_threads=1, speed=10, **options)


def avif_with_exif():
    with warnings.catch_warnings():  # the encoder reads it as well
        warnings.simplefilter("ignore")
        return avif(exif=looping_exif())


def patched_size(data, side):
    """The same HEIC or AVIF, which says that all its pictures are of that size."""
    parts = data.split(b"\0\0\0\x14ispe")
    return b"".join(
        (
            parts[0],
            *(
                b"\0\0\0\x14ispe" + p[:4] + struct.pack(">II", side, side) + p[12:]
                for p in parts[1:]
            ),
        )
    )
