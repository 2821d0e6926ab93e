"""What hostile files cost: processor time and memory of each, and the code that it gets.

    python -m benchmarks.bombs [--only WORD] [--largest]

Each one is decoded in a process of its own, so that memory is its own too. The time is of the
second decoding: the first also loads a decoder.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.fuzzing import peak_mb, processor_seconds
from ml.photos import PhotoError, decode_photo
from tests.hostile import bombs, largest
from tests.mutants import corpus


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="WORD", help="files with this in their name")
    parser.add_argument("--largest", action="store_true", help="what we accept, at its largest")
    parser.add_argument("--make", metavar="NAME", help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    files = largest() if options.largest else bombs()
    if options.make:
        sys.stdout.buffer.write(files[options.make][0]())
    elif options.measure:
        print(json.dumps(measure(options.measure.read_bytes())))
    else:
        print("| file | bytes | code | ms | MB |\n| --- | ---: | --- | ---: | ---: |", flush=True)
        for name in filter(lambda name: options.only in name, files):
            print(row(name, ["--largest"] if options.largest else []), flush=True)


def row(name: str, options: list[str]) -> str:
    """Make a file in one process and decode it in another."""
    itself = [sys.executable, "-m", "benchmarks.bombs", *options]
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run([*itself, "--make", name], stdout=file, check=True, timeout=600)
        command = [*itself, "--measure", file.name]
        child = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if child.returncode:
        return f"| {name} | | exit status {child.returncode} | | |"
    size, code, ms, mb = json.loads(child.stdout)
    return f"| {name} | {size:,} | {code} | {ms:.1f} | {mb:.0f} |"


def measure(data: bytes) -> tuple[int, str, float, float]:
    """Bytes of the file, the code, milliseconds of processor time, megabytes beyond the file."""
    for each in corpus().values():
        decode_photo(each)
    before = peak_mb(resource.RUSAGE_SELF)
    code = _code(data)
    more = peak_mb(resource.RUSAGE_SELF) - before
    started = processor_seconds()
    _code(data)
    return len(data), code, (processor_seconds() - started) * 1000, more


def _code(data: bytes) -> str:
    try:
        photo = decode_photo(data)
    except PhotoError as error:
        return f"`{error.code}`"
    return f"answered, {photo.width} × {photo.height}"


if __name__ == "__main__":
    main()
