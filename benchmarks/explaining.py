"""What a heat map costs: `python -m benchmarks.explaining [VERSION]`.

Milliseconds of processor time, from the kept bytes to the picture's, the best of ten: decoding, the
networks, the map, the PNG. And the memory of a process before and after, which only answers need.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from PIL import Image

from ml.explain import heat_for, look
from ml.heat_pictures import over_photo, overlay
from ml.inference import OnnxEngine
from ml.photos import decode_photo
from tests.cartoons import cartoon
from tests.photos import chelsea, encode

TIMES = 10


def photos() -> Iterator[tuple[str, bytes]]:
    """An easy one, the same as a phone sends it, and one that is looked at again."""
    cat = Image.fromarray(chelsea())
    yield "easy, 451 × 300 pixels", encode(cat, "JPEG")
    large = cat.resize((4000, 3000), Image.Resampling.BICUBIC)
    yield "easy, 12 megapixels", encode(large, "JPEG")
    drawn = Image.fromarray(cartoon("dog", 0)).resize((640, 480))
    yield "hard, 640 × 480 pixels", encode(drawn, "JPEG")


def best(work: Callable[[], object]) -> float:
    """The least processor time of some tries, in milliseconds."""
    spent = []
    for _ in range(TIMES):
        started = time.process_time()
        work()
        spent.append(1000 * (time.process_time() - started))
    return min(spent)


def explain(engine: OnnxEngine, data: bytes, whole: bool) -> int:
    """The heat map of a photo as a picture; how often the version looked."""
    photo = decode_photo(data)
    looks = look(engine, photo.pixels)
    label = engine.card.labels[0]
    heat = heat_for(looks, engine.card.labels, label, photo.width / photo.height)
    if whole:
        over_photo(heat, photo.pixels, 640)
    else:
        overlay(heat, 640, round(640 * photo.height / photo.width))
    return len(looks)


def answer(engine: OnnxEngine, data: bytes) -> None:
    engine.predict(decode_photo(data).pixels)


def memory() -> float:
    """What this process holds, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def measure(engine: OnnxEngine, shown: dict[str, bytes]) -> None:
    answers = {name: best(partial(answer, engine, data)) for name, data in shown.items()}
    before = memory()
    for name, data in shown.items():
        looks = explain(engine, data, whole=False)
        alone, whole = (best(partial(explain, engine, data, whole)) for whole in (False, True))
        figures = f"{looks} | {answers[name]:.0f} | {alone:.0f} | {whole:.0f}"
        print(f"| {engine.card.version} | {name} | {figures} |")
    print(f"\nAnswers alone took {before:.0f} MB, heat maps after them {memory():.0f} MB.\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", nargs="?", default="2026-11-26.2")
    engine = OnnxEngine(Path("models", parser.parse_args().version))
    shown = dict(photos())
    print("| version | photo | looks | answer, ms | overlay, ms | whole picture, ms |")
    print("|---|---|---|---|---|---|")
    measure(engine, shown)


if __name__ == "__main__":
    main()
