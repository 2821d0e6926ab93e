"""What large uploads cost the server in memory: eight of 20 MB at once, each way in.

    python -m benchmarks.uploads [--at-once 8]

The real server on SQLite in a folder of its own. Its memory, all its processes together, is read
every few milliseconds from /proc: Linux only.
"""

import argparse
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import requests
from PIL import Image

from benchmarks.site import Site, running_site
from tests.photos import encode

_BYTES = 20_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--at-once", type=int, default=8, help="uploads (default: 8)")
    options = parser.parse_args()
    photo = large_photo()
    too_large = photo + bytes(5_000_000)
    print(f"A photo of {len(photo):,} bytes, {options.at_once} at once\n")
    print("| sent | statuses | MB before | MB at most | MB after |")
    print("| --- | --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as place, running_site(Path(place), Path("models")) as site:
        ways = {
            "forms": lambda: form(site, photo),
            "bodies": lambda: body(site, photo),
            "forms of 25 MB": lambda: form(site, too_large),
            "bodies of 25 MB": lambda: body(site, too_large),
        }
        form(site, encode(Image.new("RGB", (64, 64))))
        for name, way in (*ways.items(), *ways.items()):
            print(f"| {name} | {measured(site, way, options.at_once)} |", flush=True)


def large_photo() -> bytes:
    """A JPEG of noise, 16 megapixels, filled up to 20 MB with what its end hides."""
    noise = np.random.default_rng(1).integers(0, 256, (4000, 4000, 3), np.uint8)
    data = encode(Image.fromarray(noise), quality=85)
    return data + bytes(max(0, _BYTES - len(data)))


def form(site: Site, photo: bytes) -> int:
    url = f"{site.url}/api/predict"
    return requests.post(url, files={"image": photo}, timeout=120).status_code


def body(site: Site, photo: bytes) -> int:
    url, headers = f"{site.url}/api/predict", {"Content-Type": "image/jpeg"}
    return requests.post(url, data=photo, headers=headers, timeout=120).status_code


def measured(site: Site, way, at_once: int) -> str:
    """Send, and watch; a table's row."""
    before, most, done = memory_mb(site.pid), 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.005):
            most = max(most, memory_mb(site.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(at_once) as pool:
        statuses = Counter(pool.map(lambda _: way(), range(at_once)))
    done.set()
    watcher.join()
    told = ", ".join(f"{number} × {status}" for status, number in statuses.items())
    return f"{told} | {before:.0f} | {most:.0f} | {memory_mb(site.pid):.0f}"


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(stat.parent.name)] = (int(fields[1]), int(fields[21]))
    family = {pid}
    while more := {one for one, (parent, _) in parents.items() if parent in family} - family:
        family |= more
    return sum(parents[one][1] for one in family if one in parents) * 4096 / 1e6


if __name__ == "__main__":
    main()
