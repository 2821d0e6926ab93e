"""Whether decoding large JPEGs at a fraction of their size (DCT scaling) changes any answer.

    python -m benchmarks.draft --data data/raw [--photos 40] [--megapixels 12] [--version NAME]

Real photos are enlarged and given noise like a sensor's, pixel by pixel, so that there is detail
to lose. Each is decoded as we do and in full, and both are shown to a version.
"""

import argparse
import io
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from ml.inference import OnnxEngine
from ml.photos import decode_photo


@dataclass(frozen=True)
class Difference:
    """What decoding in full would have changed for one photo.

    Attributes:
        moved: Largest difference of a probability.
        changed: Whether the answer is another one.
        scaled_ms: Processor time of decoding as we do.
        full_ms: The same in full.
    """

    moved: float
    changed: bool
    scaled_ms: float
    full_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder of photos")
    parser.add_argument("--photos", type=int, default=40, help="how many (default: 40)")
    parser.add_argument("--megapixels", type=float, default=12, help="enlarged to (default: 12)")
    parser.add_argument("--version", default="2026-11-26.2", help="of models/")
    options = parser.parse_args()
    engine = OnnxEngine(Path("models", options.version))
    paths = sorted(path for path in options.data.rglob("*.jpg"))
    chosen = random.Random(1).sample(paths, options.photos)
    found = [
        compare(engine, enlarged(Image.open(path), options.megapixels, seed))
        for seed, path in enumerate(chosen)
    ]
    moved = [each.moved for each in found]
    print(
        f"{len(found)} photos of {options.megapixels:g} megapixels, version {options.version}: "
        f"{sum(each.changed for each in found)} answers changed; a probability moved by "
        f"{statistics.median(moved):.4f} (median), {max(moved):.4f} at most. Decoding took "
        f"{statistics.median(each.scaled_ms for each in found):.0f} ms, in full "
        f"{statistics.median(each.full_ms for each in found):.0f} ms."
    )


def enlarged(image: Image.Image, megapixels: float, seed: int) -> bytes:
    """A JPEG of that size with noise that grows with the light, as a sensor's does."""
    factor = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
    size = round(image.width * factor), round(image.height * factor)
    pixels = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC), np.float32)
    chance = np.random.default_rng(seed)
    spread = 2 + np.sqrt(pixels) / 2
    pixels = pixels + spread * chance.standard_normal(pixels.shape, np.float32)
    target = io.BytesIO()
    noisy = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    noisy.save(target, "JPEG", quality=92)
    return target.getvalue()


def compare(engine: OnnxEngine, data: bytes) -> Difference:
    """Decode a large JPEG both ways and ask a version twice."""
    scaled, scaled_ms = _timed(data)
    with without_scaling():
        full, full_ms = _timed(data)
    ours, theirs = engine.predict(scaled), engine.predict(full)
    probabilities = theirs.probabilities
    moved = max(abs(value - probabilities[label]) for label, value in ours.probabilities.items())
    return Difference(moved, ours.answer != theirs.answer, scaled_ms, full_ms)


@contextmanager
def without_scaling() -> Iterator[None]:
    """Pillow decodes every JPEG in full within."""
    really = JpegImageFile.draft
    JpegImageFile.draft = lambda *_: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        JpegImageFile.draft = really  # type: ignore[method-assign]


def _timed(data: bytes) -> tuple[np.ndarray, float]:
    started = time.process_time()
    pixels = decode_photo(data).pixels
    return pixels, (time.process_time() - started) * 1000


if __name__ == "__main__":
    main()
