"""The notebook runs from top to bottom on a small folder, and carries nobody's photos."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("keras", reason="training is not installed")

import nbformat

from tests.ml.drawn import draw_folder

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WALK = ROOT / "notebooks" / "cats_and_dogs.ipynb"
# In place of the notebook's own figures: seconds.
SMALL = {"PHOTOS_PER_LABEL": 40, "EPOCHS": 2, "SIDE": 48, "NETWORK": "pawnet"}
RESULTS = """
import json
print(json.dumps({
    "folder": str(DATA),
    "history": fitted.history,
    "outputs": fitted.model.output["logits"].shape[-1],
    "taken": {split: len(in_split(examples, split)) for split in SPLITS},
    "scores": {"count": scores.count, "accuracy": scores.accuracy, "confusion": scores.confusion},
    "errors": len(cells),
    "coverage": curve.coverage[-1],
    "risk": curve.risk[-1],
}))
"""


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The notebook after a run on drawn photos, and what it holds then."""
    place = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.read(WALK, as_version=4)
    for name, value in SMALL.items():
        first = notebook.cells[1]
        first.source, found = re.subn(
            rf"^{name} = .*$", f"{name} = {value!r}", first.source, flags=re.MULTILINE
        )
        assert found == 1, name
    notebook.cells.append(nbformat.v4.new_code_cell(RESULTS))
    before, after = place / "before.ipynb", place / "after.ipynb"
    nbformat.write(notebook, before)
    run(before, after, draw_folder(place / "photos", per_split=6))
    notebook = nbformat.read(after, as_version=4)
    return notebook, json.loads(notebook.cells[-1].outputs[-1]["text"])


def run(before, after, photos):
    """In a process of its own, whose sockets and threads end with it."""
    jupyter = {
        name: str(before.parent / "jupyter")
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    subprocess.run(
        [sys.executable, ROOT / "tests" / "ml" / "run_notebook.py", before, after, WALK.parent],
        env={**os.environ, **jupyter, "CATSDOGS_DATA": str(photos)},
        check=True,
    )


def test_it_takes_the_photos_of_the_folder_that_it_is_given(walked):
    _, results = walked

    assert Path(results["folder"]).name == "photos"
    assert all(number >= 12 for number in results["taken"].values())


def test_it_trains_a_network_for_these_labels(walked):
    _, results = walked

    assert results["outputs"] == 2
    assert [row["epoch"] for row in results["history"]] == [1, 2]
    assert all(math.isfinite(row["loss"]) for row in results["history"])


def test_it_scores_each_photo_of_the_holdout_once(walked):
    _, results = walked

    scores = results["scores"]
    assert scores["count"] == results["taken"]["holdout"]
    assert sum(sum(row.values()) for row in scores["confusion"].values()) == scores["count"]
    wrong = round((1 - scores["accuracy"]) * scores["count"])
    assert results["errors"] == min(wrong, 24)
    assert results["risk"] == pytest.approx(1 - scores["accuracy"])
    assert results["coverage"] == 1


def test_it_shows_photos_and_curves(walked):
    notebook, _ = walked

    pictures = [
        cell
        for cell in notebook.cells
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", ()))
    ]
    assert len(pictures) >= 5


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_no_output_and_no_path_of_a_machine_is_committed(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))

    for cell in notebook["cells"]:
        assert "attachments" not in cell
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
    assert not re.search(
        r"(?<![\w.)])(?:/[a-z]\w+/\w|[A-Z]:\\\\)", path.read_text(encoding="utf-8")
    )


def test_it_defines_nothing_that_ml_needs():
    for path in (ROOT / "ml").glob("*.py"):
        assert "notebooks" not in path.read_text(encoding="utf-8"), path.name
