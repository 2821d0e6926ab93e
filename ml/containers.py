"""Read a photo's file as far as its outer structure, so that decoders see pixels and no metadata.

Size, frames and orientation are read here, by code that follows no pointer and counts its steps.
What goes on to a decoder is the first picture alone: comments, text, profiles, EXIF, previews and
further frames stay behind, and with them most of what hostile files are made of.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# A real file stays far below these. At the limits, walking takes 20 to 50 ms.
_MOST_BLOCKS = 200_000  # of a GIF, of at most 255 bytes each
_MOST_CHUNKS = 50_000  # of a PNG or a WebP
_MOST_SEGMENTS = 5_000  # of a JPEG before its first scan
_MOST_PADDING = 64 * 1024  # bytes between two of them
_MOST_JPEG_HEADER = 256 * 1024  # bytes of tables before the first scan
# Each scan visits all of the photo: a bomb has thousands; cameras and tools write about ten.
_MOST_SCANS, _FEW_SCANS = 200, 16
_MOST_SCANNED = 1_000_000_000  # scans times pixels
_MOST_PROFILE = 256 * 1024  # bytes of an EXIF profile that lies compressed in a PNG

_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')
_RAW_PROFILE = b"Raw profile type exif\0"
_PNG_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
# A byte that begins a marker, and what cannot be one: 00 is stuffing and FF is padding.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff])", re.DOTALL)
_JPEG_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOS, _EOI = b"\xff\xda", b"\xff\xd9"


class BrokenContainer(ValueError):
    """The file's structure is broken, or nothing that an honest program would write."""


@dataclass(frozen=True)
class Container:
    """What a file says of itself before anything is decoded.

    Attributes:
        format: `JPEG`, `PNG`, `WEBP` or `GIF`.
        width: In pixels, as stored, before it is turned upright.
        height: Likewise.
        frames: How many pictures of that size it holds.
        orientation: EXIF's number, 1 to 8.
        data: A file with the first picture and without metadata.
    """

    format: str
    width: int
    height: int
    frames: int
    orientation: int
    data: bytes


def open_container(data: bytes) -> Container | None:
    """Read the structure of a file; None where the format is not one of those four.

    Raises:
        BrokenContainer: if the structure makes no sense.
    """
    read: Callable[[bytes], Container] | None = None
    if data.startswith(b"\xff\xd8\xff"):
        read = _jpeg
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        read = _png
    elif data.startswith((b"GIF87a", b"GIF89a")):
        read = _gif
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        read = _webp
    try:
        container = read(data) if read else None
    except (IndexError, struct.error) as error:
        raise BrokenContainer("The file ends within its header.") from error
    if container and not container.width * container.height:
        raise BrokenContainer("The photo has no pixels.")
    return container


def exif_orientation(exif: bytes) -> int:
    """EXIF's orientation, 1 to 8, by its first directory alone; 1 where it says nothing.

    Source:
        Exif 2.32, section 4.6.2: a TIFF header, then entries of 12 bytes; tag 0x0112.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    found = 0
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for place in range(start + 2, start + 2 + 12 * min(entries, 512), 12):
            tag, kind, count = struct.unpack_from(order + "HHI", tiff, place)
            if tag == 0x0112 and count == 1 and kind in (1, 3, 4):
                size = {1: "B", 3: "H", 4: "I"}[kind]
                (found,) = struct.unpack_from(order + size, tiff, place + 8)
    except struct.error:
        pass  # it is cut short: what was read counts
    return found if 1 <= found <= 8 else 1


def _orientation(exif: bytes, xmp: bytes) -> int:
    """By EXIF; by XMP where EXIF says nothing."""
    found = exif_orientation(exif)
    if found == 1 and (match := _XMP_ORIENTATION.search(xmp)):
        return int(match[1])
    return found


def _jpeg(data: bytes) -> Container:
    kept, exif, xmp = [b"\xff\xd8"], b"", b""
    width = height = kept_bytes = 0
    for marker, start, end in _jpeg_segments(data):
        body = data[start + 4 : start + 64]
        if marker == 0xE1:
            if not exif and body.startswith(b"Exif\0\0"):
                exif = data[start + 4 : end]
            elif not xmp and body.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
                xmp = data[start + 4 : end]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 5)
        if marker == _SOS[1]:
            kept.append(_jpeg_scans(data, start, width * height))
            orientation = _orientation(exif, xmp)
            return Container("JPEG", width, height, 1, orientation, b"".join(kept))
        if _jpeg_is_needed(marker, body):
            kept.append(data[start:end])
            kept_bytes += end - start
            if kept_bytes > _MOST_JPEG_HEADER:
                break
    raise BrokenContainer("There is no scan where one should be.")


def _jpeg_is_needed(marker: int, body: bytes) -> bool:
    """Whether decoding takes it: no comment (FE), and of applications what tells the colours."""
    if 0xE0 <= marker <= 0xEF:
        return body.startswith((b"JFIF\0", b"Adobe"))
    return marker < 0xF0


def _jpeg_segments(data: bytes, place: int = 2) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment, the end of a scan's header for a scan."""
    for _ in range(_MOST_SEGMENTS):
        match = _JPEG_MARKER.search(data, place, place + _MOST_PADDING)
        if match is None:
            return
        marker, start = match[1][0], match.start()
        place = start + 2
        if marker == _EOI[1]:
            return
        if marker not in _JPEG_ALONE:
            place += max(2, *struct.unpack_from(">H", data, place))
            yield marker, start, place
    raise BrokenContainer("There are too many segments.")


def _jpeg_scans(data: bytes, start: int, pixels: int) -> bytes:
    """The photo's scans from the first one on, unless they are so many that they are a bomb.

    Within a scan no marker occurs, so counting them is exact but for what lies behind the photo.
    """
    most = min(_MOST_SCANS, max(_FEW_SCANS, _MOST_SCANNED // max(pixels, 1)))
    if data.count(_SOS, start) <= most:
        return data[start:]
    end = data.find(_EOI, start) + 2  # further pictures follow it
    if end < 2 or data.count(_SOS, start, end) > most:
        raise BrokenContainer("There are too many scans.")
    return data[start:end]


def _png(data: bytes) -> Container:
    width, height = struct.unpack_from(">II", data, 16)
    kept, exif, xmp, frames = [data[:8]], b"", b"", 1
    profile: bytes | None = None
    for name, start, end in _png_chunks(data):
        if name in _PNG_PIXELS:
            kept.append(data[start - 8 : end + 4])
        elif name == b"acTL":
            frames = max(frames, int.from_bytes(data[start : start + 4]))
        elif name == b"eXIf":
            exif = data[start:end]
        elif name in (b"tEXt", b"zTXt") and data.startswith(_RAW_PROFILE, start):
            if profile is None:  # a second one would be a bomb: unpacking takes time
                profile = _raw_profile(data[start + len(_RAW_PROFILE) : end], name)
        elif name == b"iTXt" and data.startswith(b"XML:com.adobe.xmp\0\0", start):
            xmp = data[start:end]
    return Container(
        "PNG", width, height, frames, _orientation(exif or profile or b"", xmp), b"".join(kept)
    )


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of what each chunk holds; the last one may be cut short."""
    place = 8
    for _ in range(_MOST_CHUNKS):
        length, name = struct.unpack_from(">I4s", data, place)
        yield name, place + 8, place + 8 + length
        place += 12 + length
        if name == b"IEND" or place + 8 > len(data):
            return
    raise BrokenContainer("There are too many chunks.")


def _raw_profile(text: bytes, name: bytes) -> bytes:
    """EXIF as ImageMagick writes it into text: three lines, then hexadecimal digits."""
    try:
        if name == b"zTXt":
            text = zlib.decompressobj().decompress(text[1:], _MOST_PROFILE)
        return bytes.fromhex("".join(text.decode("ascii").split("\n")[3:]))
    except (ValueError, zlib.error):
        return b""


def _gif(data: bytes) -> Container:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    place = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    head, picture, transparent, frames = data[:place], b"", b"", 0
    for kind, start, end in _gif_blocks(data, place):
        if kind == b"," and not frames:
            left, top, wide, high = struct.unpack_from("<HHHH", data, start + 1)
            width, height = max(width, left + wide), max(height, top + high)
            picture = data[start:end]
        elif kind == b"\xf9" and not frames and data[start + 3] & 1:
            transparent = b"!\xf9\4\1\0\0" + data[start + 6 : start + 7] + b"\0"
        frames += kind == b","
    if not frames:
        raise BrokenContainer("There is no picture in it.")
    return Container("GIF", width, height, frames, 1, head + transparent + picture + b";")


def _gif_blocks(data: bytes, place: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of pictures (`,`) and extensions (their label), as far as they go."""
    pieces = 0
    while place < len(data) - 1 and (first := data[place : place + 1]) != b";":
        start = place
        pieces += 1
        if first == b",":
            table = data[place + 9] if place + 9 < len(data) else 0
            place += 11 + (3 << (table & 7) + 1 if table & 0x80 else 0)
        elif first == b"!":
            first = data[place + 1 : place + 2]
            place += 2
        else:
            place += 1  # decoders skip what is neither
            first = b""
        while first and place < len(data) and (length := data[place]):
            place += 1 + length
            pieces += 1
            if pieces > _MOST_BLOCKS:
                break
        if pieces > _MOST_BLOCKS:
            raise BrokenContainer("There are too many blocks.")
        if first:
            place += 1
            yield first, start, place


def _webp(data: bytes) -> Container:
    width, height = _webp_size(data)
    frames, exif, xmp, place = 0, b"", b"", 12
    for _ in range(_MOST_CHUNKS):
        if place + 8 > len(data):
            break
        name, length = struct.unpack_from("<4sI", data, place)
        frames += name == b"ANMF"
        if name == b"EXIF":
            exif = data[place + 8 : place + 8 + length]
        elif name == b"XMP ":
            xmp = data[place + 8 : place + 8 + length]
        place += 8 + length + (length & 1)
    else:
        raise BrokenContainer("There are too many chunks.")
    return Container("WEBP", width, height, max(1, frames), _orientation(exif, xmp), data)


def _webp_size(data: bytes) -> tuple[int, int]:
    """Of the canvas. Source: RFC 9649, sections 2.5 to 2.7."""
    kind = data[12:16]
    if kind == b"VP8X":
        wide, high = data[24:27], data[27:30]
        return int.from_bytes(wide, "little") + 1, int.from_bytes(high, "little") + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    wide, high = struct.unpack_from("<HH", data, 26)
    return wide & 0x3FFF, high & 0x3FFF
