import pytest

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")

from benchmarks import candidates  # noqa: E402
from tests.ml.answers import make_evaluation  # noqa: E402
from tests.ml.drawn import draw_folder  # noqa: E402


def test_a_row_tells_how_much_longer_than_lite0_a_candidate_takes():
    evaluation = make_evaluation()
    rows = [
        candidates.Row("Lite0", evaluation, evaluation, None, 6.7),
        candidates.Row("Lite2", evaluation, evaluation, 0.0125, 9.6),
    ]

    head, _, first, second = candidates._table(rows, {"Lite0": 10.0, "Lite2": 23.0}).splitlines()

    assert head.count("|") == first.count("|") == second.count("|")
    assert "| 10.0 | 1.00 × | 6.7 |" in first
    assert "| 1.25% | 23.0 | 2.30 × | 9.6 |" in second


def test_it_trains_scores_and_times_what_it_is_asked_to(tmp_path, monkeypatch, capsys):
    folder = draw_folder(tmp_path / "photos")
    places = [f"--data={folder}", f"--cache={tmp_path / 'cache'}", f"--to={tmp_path / 'table.md'}"]
    monkeypatch.setattr("sys.argv", ["candidates", *places, "--only", "Lite0"])
    monkeypatch.setattr(candidates, "_NUM_TIMED", 2)

    candidates.main()

    table = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert table == capsys.readouterr().out
    assert "| Lite0 | 100.00% |" in table
