import json

import pytest

from ml.__main__ import main
from tests.networks import write_tiny_version
from tests.photos import photo_bytes


@pytest.fixture
def predict(tmp_path, capsys):
    """Runs `python -m ml predict`; its status and its rows."""
    version = write_tiny_version(tmp_path / "models")

    def run(*photos):
        status = main([f"--models={version.parent}", "predict", version.name, *map(str, photos)])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def test_each_photo_has_a_row(predict, tmp_path):
    (tmp_path / "a.jpg").write_bytes(photo_bytes())
    (tmp_path / "b.png").write_bytes(photo_bytes(format="PNG"))

    status, rows = predict(tmp_path / "a.jpg", tmp_path / "b.png")

    assert status == 0
    assert [row["answer"] for row in rows] == ["cat", "cat"]
    assert rows[0]["path"] == str(tmp_path / "a.jpg")


def test_a_photo_that_is_refused_has_a_code_and_the_others_are_answered(predict, tmp_path):
    (tmp_path / "a.jpg").write_bytes(photo_bytes())

    status, rows = predict(tmp_path / "missing.jpg", tmp_path / "a.jpg")

    assert status == 1
    assert [row.get("code") for row in rows] == ["unreadable", None]
