"""From a click to a better model: how long it takes, and what is learnt, on a fresh install.

    python -m benchmarks.loop [--photos 50] [--workers 1] [--database URL] [--to FILE]

A visitor shows cartoons of cats and dogs, drawn by code, to the version that ships, says what they
show, and lets us learn from them; a reviewer approves them one by one; the last approving click
starts the clock. It stops when every worker answers with the new version. All of it by HTTP, as
people would, on the loopback address. Other cartoons are shown before and after.
"""

import argparse
import io
import json
import re
import shutil
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import requests
from PIL import Image

from benchmarks.site import Site, running_site, token_in
from tests.cartoons import cartoon

_LABELS = ("cat", "dog")
# Long before this, a retraining that works is done.
_SECONDS_TO_LEARN = 300
_UNSEEN = 100
# The prediction that the review page is about.
_SHOWN = re.compile(r'action="/review/([0-9a-f-]{36})/"')


@dataclass(frozen=True)
class Told:
    """What was said of cartoons that nobody taught.

    Attributes:
        right: Share that got the right label for an answer.
        wrong: Share that got the wrong one; the rest was told `unsure` or `neither`.
    """

    right: float
    wrong: float


@dataclass(frozen=True)
class Measured:
    """What the measurement gave.

    Attributes:
        seconds: From the last approving click to the new version on every worker.
        photos: Taught.
        workers: Processes that answer.
        before: Of the version that shipped.
        after: Of the version that learnt.
        version: Its name.
    """

    seconds: float
    photos: int
    workers: int
    before: Told
    after: Told
    version: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=50, help="to teach (default: 50)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--database", metavar="URL", help="PostgreSQL's; else SQLite")
    parser.add_argument("--to", type=Path, metavar="FILE", help="write the figures there, as JSON")
    options = parser.parse_args()
    measured = measure(options.photos, options.workers, options.database)
    print(
        f"{measured.seconds:.1f} s from the last approving click until all {measured.workers} "
        f"workers answered with {measured.version}, taught {measured.photos} cartoons.\n"
        f"Of {_UNSEEN} other cartoons answered rightly: {measured.before.right:.0%} before, "
        f"{measured.after.right:.0%} after; wrongly: {measured.before.wrong:.0%} before, "
        f"{measured.after.wrong:.0%} after."
    )
    if options.to:
        options.to.write_text(json.dumps(asdict(measured), indent=2) + "\n", encoding="utf-8")


def measure(photos: int, workers: int, database: str | None = None) -> Measured:
    """Walk the whole loop once on a site of its own."""
    with tempfile.TemporaryDirectory() as place:
        models = Path(place, "models")
        shutil.copytree("models", models)
        settings = {"GUNICORN_CMD_ARGS": f"--workers={workers}"}
        with running_site(Path(place, "var"), models, database=database, **settings) as site:
            before = show(site, _UNSEEN)
            labels = teach(site, photos)
            seconds, version = approve_and_wait(site, labels, workers)
            return Measured(seconds, photos, workers, before, show(site, _UNSEEN), version)


def show(site: Site, number: int) -> Told:
    """Ask about cartoons that `teach` does not draw."""
    visitor, right, wrong = site.visitor(), 0, 0
    for seed in range(number):
        label = _LABELS[seed % 2]
        answer = ask(site, visitor, label, 10_000 + seed)["answer"]
        right, wrong = right + (answer == label), wrong + (answer in _LABELS and answer != label)
    return Told(right / number, wrong / number)


def ask(site: Site, visitor: requests.Session, label: str, seed: int) -> dict:
    """Send a cartoon and return the prediction."""
    photo = io.BytesIO()
    Image.fromarray(cartoon(label, seed)).save(photo, "JPEG", quality=90)
    response = visitor.post(
        f"{site.url}/api/predict", files={"image": photo.getvalue()}, timeout=60
    )
    response.raise_for_status()
    return response.json()


def teach(site: Site, number: int) -> dict[str, str]:
    """Send cartoons and say what they show; returns the label of each prediction by its id."""
    visitor, labels = site.visitor(), {}
    for seed in range(number):
        label = _LABELS[seed % 2]
        prediction = ask(site, visitor, label, seed)["id"]
        said = {"prediction": prediction, "label": label, "consent": True}
        visitor.post(f"{site.url}/api/feedback", json=said, timeout=30).raise_for_status()
        labels[prediction] = label
    return labels


def approve_and_wait(site: Site, labels: dict[str, str], workers: int) -> tuple[float, str]:
    """Approve all, start a retraining, and wait until every worker answers with its version."""
    reviewer = site.reviewer()
    approve(site, reviewer, labels)
    started = time.monotonic()
    token = token_in(reviewer.get(f"{site.url}/runs", timeout=30).text)
    run = reviewer.post(f"{site.url}/runs/start", {"csrfmiddlewaretoken": token}, timeout=30)
    run.raise_for_status()
    version = _wait_for_another(site, reviewer, run.url, workers)
    return time.monotonic() - started, version


def approve(site: Site, reviewer: requests.Session, labels: dict[str, str]) -> None:
    """Say of as many photos as there are labels what each shows; others are skipped."""
    left = len(labels)
    while left:
        page = reviewer.get(f"{site.url}/review", timeout=30).text
        token = {"csrfmiddlewaretoken": token_in(page)}
        (shown,) = set(_SHOWN.findall(page))
        if shown in labels:
            said = {**token, "label": labels[shown]}
            reviewer.post(f"{site.url}/review/{shown}/", said, timeout=30).raise_for_status()
            left -= 1
        else:
            reviewer.post(f"{site.url}/review/{shown}/skip/", token, timeout=30).raise_for_status()


def _wait_for_another(site: Site, reviewer: requests.Session, run: str, workers: int) -> str:
    """Ask one worker after another, each on a new connection, until all of them follow."""
    old = requests.get(f"{site.url}/readyz", timeout=30).json()["version"]
    pause, started, followed = threading.Event(), time.monotonic(), 0
    while time.monotonic() - started < _SECONDS_TO_LEARN:
        version = requests.get(f"{site.url}/readyz", timeout=30).json()["version"]
        # Whoever accepts is chance: that many in turn from none of the old is all but certain.
        followed = followed + 1 if version != old else 0
        if followed >= (1 if workers == 1 else 8 * workers):
            return str(version)
        pause.wait(0.05 if followed else 0.2)
    raise TimeoutError(f"No other version answers. The run: {reviewer.get(run, timeout=30).text}")


if __name__ == "__main__":
    main()
