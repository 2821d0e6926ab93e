"""Bulk runs for tests, and what is in their files, read as anybody would read them."""

import csv
import json

import pyarrow.parquet as pq

from ml import bulk
from ml.bulk_paths import Photos, Seen
from ml.rows import Limits
from tests.ml.answers import LABELS, LookingEngine
from tests.photos import photo_bytes

NUMBERS = ("confidence", "novelty")


def make_photos(folder, number=5):
    """Photos that look different; and one that is broken, in the middle."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in range(number):
        data = photo_bytes(format="PNG", colour=(7 * each % 256, 90, 40))
        (folder / f"{each:03}.png").write_bytes(data[:100] if each == number // 2 else data)
    return folder


def run(places, output, engine=None, *, overwrite=False, ask=None, watch=lambda: None):
    """What the command does, without it; the tally."""
    engine = engine or LookingEngine()
    ask = ask or bulk.on_this_machine(engine, Limits())
    tally = bulk.Tally()
    sheet = bulk.open_sheet(output, LABELS, overwrite=overwrite)
    try:
        with Seen() as seen:
            photos = Photos([*places], (), seen)
            version = engine.card.version
            bulk.classify(photos, sheet, ask, version=version, seen=seen, tally=tally, watch=watch)
    finally:
        sheet.close()
    return tally


def rows_in(output):
    """The rows of a file, as JSON lines would have them."""
    match output.suffix:
        case ".jsonl":
            return [json.loads(line) for line in output.read_text("ascii").splitlines()]
        case ".csv":
            with output.open(encoding="utf-8", newline="") as file:
                return [_from_csv(row) for row in csv.DictReader(file)]
    return [without_nothing(row) for row in pq.read_table(output).to_pylist()]


def paths_in(output):
    return [row["path"] for row in rows_in(output)]


def without_nothing(row):
    """What a row says: nothing is null in JSON, and an empty cell of CSV."""
    return {name: cell for name, cell in row.items() if cell is not None}


def _from_csv(row):
    told = {name: float(cell) if name in NUMBERS else cell for name, cell in row.items() if cell}
    if "probabilities" in told:
        told["probabilities"] = json.loads(told["probabilities"])
    return told
