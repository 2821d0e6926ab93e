import json
import subprocess
import sys
import threading
from itertools import islice

import numpy as np
import pytest

from ml import bulk
from ml.bulk_files import Printed
from ml.bulk_paths import Photos, Seen
from ml.inference import answer_from
from ml.rows import COLUMNS, Limits
from tests.ml.answers import LookingEngine
from tests.ml.sheets import make_photos, paths_in, rows_in, run
from tests.photos import photo_bytes

ENDINGS = [".csv", ".jsonl", ".parquet"]


class WaitingEngine(LookingEngine):
    """Keeps the first photo until it is told to go on."""

    def __init__(self):
        super().__init__()
        self.go_on = threading.Event()
        self.asked = 0
        self._lock = threading.Lock()

    def predict(self, pixels):
        with self._lock:
            self.asked += 1
            is_first = self.asked == 1
        if is_first:
            assert self.go_on.wait(30)
        return super().predict(pixels)


class KnowingEngine(LookingEngine):
    """Measures novelty too."""

    def predict(self, pixels):
        red = pixels[-1, -1, 0]  # another one in each photo
        novelty = float(pixels.mean() / 255)
        return answer_from(np.array([red / 7, 1.5], np.float32), self.card, novelty)


@pytest.fixture
def photos(tmp_path):
    return make_photos(tmp_path / "photos")


def test_the_three_formats_say_the_same(photos, tmp_path):
    odd = photos / 'é "quoted", \\x\n=1.png'
    odd.write_bytes((photos / "000.png").read_bytes())
    outputs = [tmp_path / f"rows{ending}" for ending in ENDINGS]

    for output in outputs:
        run([photos], output, KnowingEngine(unsure_below=0.7))

    as_csv, as_json, as_parquet = map(rows_in, outputs)
    assert as_csv == as_json == as_parquet
    assert len({row.get("answer") for row in as_json}) > 2  # labels, unsure, and none
    assert all(list(row) == [name for name in COLUMNS if name in row] for row in as_json)
    assert as_json[2] == {
        "path": str(photos / "002.png"),
        "code": "broken_image",
        "detail": "The photo is broken or cut short: it cannot be read to its end.",
    }


def test_what_is_not_measured_has_no_number(photos, tmp_path):
    for output in (tmp_path / f"rows{ending}" for ending in ENDINGS):
        run([photos], output)
        row = rows_in(output)[0]
        assert row.get("novelty") is None
        assert row["label"] == "cat"


def test_rows_come_in_the_order_of_photos_even_if_the_first_one_takes_long(photos, tmp_path):
    engine = WaitingEngine()
    others_done = threading.Thread(target=lambda: _when(engine, 4, engine.go_on.set))
    others_done.start()

    run([photos], tmp_path / "rows.jsonl", engine)

    others_done.join()
    assert paths_in(tmp_path / "rows.jsonl") == sorted(map(str, photos.iterdir()))


def _when(engine, number, do):
    """Do something once an engine was asked about so many photos."""
    pause = threading.Event()
    for _ in range(3000):
        if engine.asked >= number:
            break
        pause.wait(0.01)
    do()


def test_photos_in_hand_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "num_cores", lambda: 2)
    monkeypatch.setattr(bulk, "_IN_HAND", 3)
    (tmp_path / "cat.png").write_bytes(photo_bytes(format="PNG"))
    engine = WaitingEngine()
    taken = []

    def paths():
        for _ in range(100):
            taken.append(1)
            if len(taken) == 6:  # the last that may be in hand before the first is done
                engine.go_on.set()
            yield str(tmp_path / "cat.png")

    answers = bulk.on_this_machine(engine, Limits())(paths())

    next(answers)
    assert len(taken) == 6
    assert len(list(answers)) == 99


def test_a_run_that_is_left_in_the_middle_leaves_no_thread(photos):
    before = threading.active_count()
    answers = bulk.on_this_machine(LookingEngine(), Limits())(map(str, photos.iterdir()))

    list(islice(answers, 2))
    answers.close()

    assert threading.active_count() == before


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_empty_folder_gives_a_file_without_rows(tmp_path, ending):
    (tmp_path / "photos").mkdir()
    output = tmp_path / f"rows{ending}"

    tally = run([tmp_path / "photos"], output)

    assert tally.photos == 0
    assert rows_in(output) == []
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [output.name]


def test_rows_are_printed_as_they_come(photos):
    said = []
    seen_rows = []

    with Seen() as seen:
        bulk.classify(
            Photos([photos], (), seen),
            Printed(said.append),
            bulk.on_this_machine(LookingEngine(), Limits()),
            version="2026-01-01.1",
            seen=seen,
            tally=bulk.Tally(),
            watch=lambda: seen_rows.append(len(said)),
        )

    assert seen_rows == [1, 2, 3, 4, 5]
    assert [json.loads(line)["path"][-7:] for line in said] == [f"{n:03}.png" for n in range(5)]
    assert all(line.endswith("}\n") and line.isascii() for line in said)


def test_a_tally_counts_answers_and_refusals(photos, tmp_path):
    tally = run([photos], tmp_path / "rows.csv")

    assert (tally.answers, tally.refusals) == ({"cat": 4}, {"broken_image": 1})
    assert (tally.photos, tally.before) == (5, 0)


@pytest.mark.parametrize(
    ("module", "do", "what"),
    [
        ("ml.bulk_parquet", lambda place: bulk.open_sheet(place / "a.parquet", ()), "pyarrow"),
        ("ml.bulk_cluster", lambda place: bulk.on_cluster("", place, *[None] * 4), "Dask"),
    ],
)
def test_what_is_not_installed_is_named(tmp_path, monkeypatch, module, do, what):
    monkeypatch.setitem(sys.modules, module, None)  # as where it cannot be imported

    with pytest.raises(bulk.BulkError, match=rf"needs {what}: .*requirements/scale\.txt"):
        do(tmp_path)
    assert not list(tmp_path.iterdir())


def test_neither_dask_nor_arrow_is_imported_before_it_is_needed():
    code = (
        "import sys, ml.bulk, ml.__main__\n"
        "print([name for name in ('dask', 'distributed', 'pyarrow') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout == "[]\n"
