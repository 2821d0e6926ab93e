"""Decode HEIC in a process of its own, because its decoder can crash on broken files.

Random damage to a HEIC file ended the process within seconds of trying (pi_heif 1.4, a null pointer
in its reading of metadata). Here it ends a child: whoever sent the file gets a refusal, and the
server goes on. The child costs some 0.15 s, measured on two cores with a tiny photo.

Run as a script this file *is* the child: a photo on standard input; on standard output a line with
width, height and frames, then a PPM picture, unless there are too many pixels.
"""

import io
import itertools
import re
import subprocess
import sys

from PIL import Image

# Seconds of processor time; the largest photo that we accept takes about 5 on a slow core.
_CPU = 15
# Seconds, on a busy machine.
_TIMEOUT = 30
# Bytes of address space: 50 million pixels, several times over.
_MEMORY = 4 << 30

# A phone's photo is in some 50 tiles.
_MOST_SIZES = 10_000
# The property that tells the size of a picture: ISO/IEC 23008-12, section 6.5.3.
_SIZE = re.compile(rb"\0\0\0\x14ispe.{4}(.{4})(.{4})", re.DOTALL)


class HeicError(Exception):
    """The photo is broken, or breaks its decoder."""


def declared_size(data: bytes) -> tuple[int, int]:
    """Width and height of the largest picture that a file says it has, before any process starts.

    Tiles, thumbnails and the whole each say theirs. `(0, 0)` where none does.
    """
    found = itertools.islice(_SIZE.finditer(data), _MOST_SIZES)
    sizes = [(int.from_bytes(each[1]), int.from_bytes(each[2])) for each in found]
    return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))


def decode_heic(data: bytes, max_pixels: int, side: int) -> tuple[tuple[int, int, int], bytes]:
    """Decode a HEIC photo.

    Args:
        data: The whole file.
        max_pixels: Above these, all frames counted, only the header is read.
        side: The short side is reduced by a whole number, but never below this.

    Returns:
        Width, height and number of frames; and a PPM picture of the upright pixels, empty where
        there are too many.

    Raises:
        HeicError: if it cannot be decoded.
    """
    # Our own file and numbers: nothing that a stranger sent is on the command line.
    command = [sys.executable, "-I", __file__, str(max_pixels), str(side)]
    try:
        child = subprocess.run(  # noqa: S603
            command, input=data, capture_output=True, timeout=_TIMEOUT, check=True
        )
        header, _, picture = child.stdout.partition(b"\n")
        width, height, frames = map(int, header.split())
    except (subprocess.SubprocessError, ValueError) as error:
        raise HeicError("The HEIC decoder gave up.") from error
    return (width, height, frames), picture


def _limit() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU, _CPU))


def _decode(data: bytes, max_pixels: int, side: int) -> bytes:
    import pi_heif  # here: the parent has no use for it

    pi_heif.register_heif_opener(
        thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
    )
    with Image.open(io.BytesIO(data), formats=["HEIF"]) as image:
        width, height, frames = *image.size, getattr(image, "n_frames", 1)
        header = f"{width} {height} {frames}\n".encode()
        if width * height * frames > max_pixels:
            return header
        return header + _as_ppm(image, side)  # the decoder has turned it upright already


def _as_ppm(image: Image.Image, side: int) -> bytes:
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    rgb = image.convert("RGB")
    factor = min(rgb.size) // side
    picture = io.BytesIO()
    (rgb.reduce(factor) if factor > 1 else rgb).save(picture, "PPM")
    return picture.getvalue()


if __name__ == "__main__":
    _limit()
    Image.MAX_IMAGE_PIXELS = None  # judged by max_pixels, from the header
    sys.stdout.buffer.write(_decode(sys.stdin.buffer.read(), *map(int, sys.argv[1:3])))
