"""The photos that serving is measured with: whole files with real noise, each sent only once.

Scenes are photos from CATSDOGS_DATA where there are some, else crops of scikit-image's cat and
cartoons. They are small, so they are enlarged first; then every pixel gets a sensor's noise of its
own, for an enlarged photo alone is far too smooth and decodes too fast. Made once, and kept.

Servers keep a photo by the SHA-256 of its bytes, so one that is sent again costs less than a new
one: `Upload.parts` puts a number into each copy, where decoders skip it.
"""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

# Kind to size in pixels, format, and how many different ones are made.
KINDS = {
    "jpeg": ((500, 375), "JPEG", 200),
    "large": ((4000, 3000), "JPEG", 6),
    "png": ((500, 375), "PNG", 40),
    "heic": ((4000, 3000), "HEIC", 6),
}
CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "HEIC": "image/heic"}
# What makes a photo of 500 × 375 pixels some 30 KB, and one of 12 megapixels some 2.5 MB.
_QUALITIES = {"jpeg": 84, "large": 92, "heic": 60}
# Standard deviation of shot and read noise at mid grey, of 255: a telephone's in good light.
_NOISE = 3.0
# One in so many drawn scenes is a cartoon. The network is unsure of most of these, and of about as
# many real photos: both take the second look.
_CARTOONS_EVERY = 7
_SEED = 6


@dataclass(frozen=True)
class Upload:
    """One photo, ready to be sent with another number each time.

    Attributes:
        before: Its bytes up to the number's place.
        after: Those behind it.
        format: `JPEG`, `PNG` or `HEIC`.
    """

    before: bytes
    after: bytes
    format: str

    def parts(self, number: int) -> tuple[bytes, bytes, bytes]:
        """The whole file in three parts, the number in the middle one; all copies are as long."""
        return self.before, _NUMBERED[self.format](number), self.after

    def whole(self, number: int = 0) -> bytes:
        """The whole file."""
        return b"".join(self.parts(number))


def uploads(kind: str, folder: Path, data: Path | None) -> list[Upload]:
    """Photos of a kind, made now if they are not in the folder yet.

    Args:
        kind: One of `KINDS`.
        folder: Keeps them.
        data: Real photos, see `CATSDOGS_DATA`; None: drawn ones.
    """
    size, photo_format, count = KINDS[kind]
    source = "data" if data else "drawn"
    place = folder / f"{kind}-{source}-{count}"
    if not place.exists():
        _make(kind, place, data)
    files = (path.read_bytes() for path in sorted(place.iterdir()))
    return [split(data, photo_format) for data in files]


def split(data: bytes, photo_format: str) -> Upload:
    """A file, cut where a number fits: behind JPEG's first marker, before PNG's last chunk."""
    cut = {"JPEG": 2, "PNG": len(data) - 12, "HEIC": len(data)}[photo_format]
    return Upload(data[:cut], data[cut:], photo_format)


def _jpeg_comment(number: int) -> bytes:
    return b"\xff\xfe\x00\x0a" + number.to_bytes(8, "big")


def _png_chunk(number: int) -> bytes:
    chunk = b"nuMb" + number.to_bytes(8, "big")  # private and ancillary, by its letters' case
    return struct.pack(">I", 8) + chunk + struct.pack(">I", zlib.crc32(chunk))


def _free_box(number: int) -> bytes:
    return struct.pack(">I", 16) + b"free" + number.to_bytes(8, "big")


_NUMBERED = {"JPEG": _jpeg_comment, "PNG": _png_chunk, "HEIC": _free_box}


def _make(kind: str, place: Path, data: Path | None) -> None:
    size, photo_format, count = KINDS[kind]
    partial = place.with_name(f".{place.name}")
    partial.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(_SEED)
    scenes = _scenes_from(data, count) if data else _drawn_scenes(count)
    for i, scene in enumerate(scenes):
        photo = Image.fromarray(_with_noise(_enlarged(scene, size), chance))
        _save(photo, partial / f"{i:03}.{photo_format.lower()}", kind)
    partial.rename(place)


def _save(photo: Image.Image, path: Path, kind: str) -> None:
    if path.suffix == ".heic":
        path.write_bytes(_as_heic(photo, path.parents[1] / "heic-encoder", _QUALITIES[kind]))
    elif path.suffix == ".png":
        photo.save(path)
    else:
        photo.save(path, quality=_QUALITIES[kind])


def _scenes_from(data: Path, count: int) -> Iterator[Image.Image]:
    """Photos of all labels alike, by chance, the same ones each time."""
    found = sorted(data.glob("*/*.jpg"))
    if len(found) < count:
        sys.exit(f"There are only {len(found)} .jpg under {data}; {count} are needed.")
    for i in np.random.default_rng(_SEED).choice(len(found), count, replace=False):
        with Image.open(found[i]) as photo:
            yield photo.convert("RGB")


def _drawn_scenes(count: int) -> Iterator[Image.Image]:
    """Crops of a real cat, turned over and dimmed by chance; cartoons now and then."""
    from skimage.data import chelsea

    from tests.cartoons import cartoon

    cat, chance = Image.fromarray(chelsea()), np.random.default_rng(_SEED)
    for i in range(count):
        if i % _CARTOONS_EVERY == 0:
            yield Image.fromarray(cartoon("cat" if i % 2 else "dog", i))
            continue
        width = int(chance.integers(280, 400))
        left = int(chance.integers(0, cat.width - width + 1))
        top = int(chance.integers(0, cat.height - width * 3 // 4 + 1))
        crop = cat.crop((left, top, left + width, top + width * 3 // 4))
        if chance.random() < 0.5:
            crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        dimmed = np.asarray(crop) * chance.uniform(0.7, 1.1)
        yield Image.fromarray(np.clip(dimmed, 0, 255).astype(np.uint8))


def _enlarged(scene: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """The middle of a scene, in the wanted shape and size."""
    scale = max(size[0] / scene.width, size[1] / scene.height)
    width, height = size[0] / scale, size[1] / scale
    left, top = max(0, (scene.width - width) / 2), max(0, (scene.height - height) / 2)
    box = (left, top, min(left + width, scene.width), min(top + height, scene.height))
    return np.asarray(scene.resize(size, Image.Resampling.BICUBIC, box=box))


def _with_noise(pixels: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """As a sensor sees it: noise of its own in every pixel, growing with the root of the light."""
    noise = chance.standard_normal(pixels.shape, np.float32)
    light = pixels.astype(np.float32)
    noise *= _NOISE * np.sqrt((light + 16) / 144)
    return np.clip(light + noise, 0, 255).astype(np.uint8)


def _as_heic(photo: Image.Image, environment: Path, quality: int) -> bytes:
    """Encoded by pillow-heif in an environment of its own: what we serve with can only decode."""
    python = environment / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        packages = ("pillow-heif==1.4.0", "pillow")
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    picture = io.BytesIO()
    photo.save(picture, "PPM")
    command = (
        "import io, sys; from PIL import Image; import pillow_heif; "
        "pillow_heif.register_heif_opener(); out = io.BytesIO(); "
        "photo = Image.open(io.BytesIO(sys.stdin.buffer.read())); "
        f"photo.save(out, 'HEIF', quality={quality}); sys.stdout.buffer.write(out.getvalue())"
    )
    done = subprocess.run(
        [python, "-c", command], input=picture.getvalue(), capture_output=True, check=True
    )
    return done.stdout
