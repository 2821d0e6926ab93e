"""Damage photos guided by which lines of our code and Pillow's they reach, with atheris.

    pip install atheris    # Linux, CPython 3.11 to 3.13: no part of our requirements
    nice -n 15 python -m benchmarks.guided_fuzzing -max_total_time=600 [FOLDER]

The options are libFuzzer's. It begins with the photos of `tests.mutants`; what reaches something
new is kept in FOLDER. It stops at the first input that gives anything but an answer or a refusal
with a code, takes more than 2 seconds or 1 GB, and writes that input to a file. HEIC is left out:
it is decoded in a process of its own, some 0.2 s each (`benchmarks.fuzzing` tries it).
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ml.containers", "ml.photos", "PIL"]):
    import PIL.AvifImagePlugin
    import PIL.GifImagePlugin
    import PIL.JpegImagePlugin
    import PIL.PngImagePlugin
    import PIL.WebPImagePlugin  # noqa: F401  Pillow would import it later, without instruments

    from ml.photos import PhotoError, decode_photo

from tests.mutants import corpus

_CODES = {"empty_file", "unsupported_format", "broken_image", "too_many_pixels"}


def one_input(data: bytes) -> None:
    if data[4:8] == b"ftyp" and b"avi" not in data[:64]:
        return
    try:
        decode_photo(data, max_pixels=1_000_000)  # else a few large ones would take all the time
    except PhotoError as error:
        assert error.code in _CODES, error.code


def main() -> None:
    with tempfile.TemporaryDirectory() as seeds:
        for number, photo in enumerate(corpus().values()):
            Path(seeds, str(number)).write_bytes(photo)
        limits = ["-timeout=2", "-rss_limit_mb=1024", "-max_len=4096"]
        folders = [word for word in sys.argv[1:] if not word.startswith("-")]
        options = [word for word in sys.argv[1:] if word.startswith("-")]
        atheris.Setup([sys.argv[0], *limits, *options, *folders, seeds], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
