"""What the page costs whoever opens it on a slow phone, and drops fifty photos on it.

    python -m benchmarks.page [--photos 50] [--upload 1500] [--slowdown 4]

Chromium opens a fresh install's page, served as in production, over a slowed network with a slowed
processor, and drops large photos of one real cat (scikit-image's Chelsea, CC0) on it, all at once.
Meanwhile a switch is clicked again and again. Two minutes at most; exits with 1 where not all are
answered.
"""

import argparse
import io
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import CDPSession, Page, sync_playwright
from skimage.data import chelsea

from benchmarks.site import in_production, running_site

_ROOT = Path(__file__).resolve().parent.parent
_SECONDS = 120
_SIDE = 2250  # pixels: large enough to be made smaller
# Lighthouse's slow 4G, but for the upload.
_LATENCY_MS, _DOWN_KBITS = 150, 1600
_WATCH = """() => {
    window.seen = {paint: 0, shift: 0, delays: []};
    const watch = (type, use, options) => new PerformanceObserver(
        (list) => list.getEntries().forEach(use)).observe({type, buffered: true, ...options});
    watch("paint", (entry) => { window.seen.paint = entry.startTime; });
    watch("layout-shift", ({hadRecentInput, value}) => {
        if (!hadRecentInput) window.seen.shift += value;
    });
    watch("event", (entry) => {
        if (entry.name === "click") {
            window.seen.delays.push([entry.processingStart - entry.startTime, entry.duration]);
        }
    }, {durationThreshold: 16});
}"""


@dataclass
class Measured:
    """What a visit gave.

    Attributes:
        bytes: Transferred for the first load, headers included.
        script_bytes: Of them, script.
        first_paint_ms: From the click on a link to something to see.
        shift: Cumulative layout shift, all along.
        answered: Photos that got their answer.
        seconds: From the drop to the last answer.
        sent_megabytes: Of all photos as they left; `megabytes` as they were dropped.
        megabytes: See there.
        input_delay_ms: The longest that a click waited until the page began with it.
        click_ms: The longest from a click to its next frame, in steps of 8.
        heap_before: Megabytes of JavaScript before the drop, after a collection.
        heap_after: The same after the last answer.
    """

    bytes: int = 0
    script_bytes: int = 0
    first_paint_ms: float = 0
    shift: float = 0
    answered: int = 0
    seconds: float = 0
    sent_megabytes: float = 0
    megabytes: float = 0
    input_delay_ms: float = 0
    click_ms: float = 0
    heap_before: float = 0
    heap_after: float = 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=50)
    parser.add_argument("--upload", type=int, default=1500, help="kilobits a second")
    parser.add_argument("--slowdown", type=float, default=4, help="of the processor")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        photos = _photos(place, options.photos)
        with running_site(place, _ROOT / "models", **in_production()) as site:
            measured = _visit(site.url, photos, options.upload, options.slowdown)
            kept = [path for path in (place / "photos").rglob("*") if path.is_file()]
            measured.sent_megabytes = sum(path.stat().st_size for path in kept) / 1e6
        measured.megabytes = sum(photo.stat().st_size for photo in photos) / 1e6
    print(json.dumps(asdict(measured), indent=2))
    return 0 if measured.answered == options.photos else 1


def _photos(place: Path, count: int) -> list[Path]:
    """Large JPEGs, no two alike."""
    cat = np.asarray(Image.fromarray(chelsea()).resize((_SIDE, _SIDE * 2 // 3)))
    paths = []
    for number in range(count):
        data = io.BytesIO()
        Image.fromarray(np.roll(cat, number * 7, axis=1)).save(data, "JPEG", quality=95)
        paths.append(place / f"cat-{number:02}.jpg")
        paths[-1].write_bytes(data.getvalue())
    return paths


def _visit(url: str, photos: list[Path], upload: int, slowdown: float) -> Measured:
    measured = Measured()
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or playwright.chromium.executable_path
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        page = browser.new_page(viewport={"width": 360, "height": 740}, bypass_csp=True)
        devtools = page.context.new_cdp_session(page)
        _slow_down(devtools, upload, slowdown)
        _count_bytes(devtools, measured)
        page.add_init_script(f"({_WATCH})()")
        page.goto(url, wait_until="networkidle")
        first_load = (measured.bytes, measured.script_bytes)
        measured.heap_before = _heap(devtools)
        _drop(page, photos, measured)
        measured.bytes, measured.script_bytes = first_load
        measured.heap_after = _heap(devtools)
        seen = page.evaluate("window.seen")
        browser.close()
    measured.first_paint_ms, measured.shift = seen["paint"], seen["shift"]
    measured.input_delay_ms = max((delay for delay, _ in seen["delays"]), default=0)
    measured.click_ms = max((duration for _, duration in seen["delays"]), default=0)
    return measured


def _slow_down(devtools: CDPSession, upload: int, slowdown: float) -> None:
    network = {
        "offline": False,
        "latency": _LATENCY_MS,
        "downloadThroughput": _DOWN_KBITS * 1000 / 8,
        "uploadThroughput": upload * 1000 / 8,
    }
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", network)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    devtools.send("Performance.enable")


def _count_bytes(devtools: CDPSession, measured: Measured) -> None:
    kinds: dict[str, str] = {}

    def finished(event: dict[str, Any]) -> None:
        size = int(event["encodedDataLength"])
        measured.bytes += size
        if kinds.get(event["requestId"]) == "Script":
            measured.script_bytes += size

    devtools.on(
        "Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]})
    )
    devtools.on("Network.loadingFinished", finished)


def _drop(page: Page, photos: list[Path], measured: Measured) -> None:
    """Choose all photos, and click a switch until they are answered."""
    started = time.monotonic()
    page.set_input_files("#photo", photos)
    while time.monotonic() - started < _SECONDS:
        measured.answered = page.locator("#answer [data-answer]").count()
        if measured.answered == len(photos):
            break
        page.locator("#originals").click()
        page.wait_for_timeout(250)
    measured.seconds = time.monotonic() - started


def _heap(devtools: CDPSession) -> float:
    devtools.send("HeapProfiler.collectGarbage")
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "JSHeapUsedSize") / 1e6


if __name__ == "__main__":
    sys.exit(main())
