"""What the ML Test Score page claims is there: every test and every command by its name."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import get_commands

from monitoring.ml_test_score import POINTS, reading, score, sections

ROOT = Path(__file__).resolve().parents[2]
ROWS = [row for section in sections() for row in section.rows]


def test_there_are_four_sections_of_seven():
    assert [len(section.rows) for section in sections()] == [7, 7, 7, 7]
    assert [section.title for section in sections()] == [
        *("Data", "Model", "Infrastructure", "Monitoring")
    ]


def test_the_score_is_that_of_the_weakest_section():
    points = [sum(POINTS[row.state] for row in section.rows) for section in sections()]

    assert score() == min(points)


@pytest.mark.parametrize(
    ("points", "word"), [(0, "research"), (0.5, "holes"), (3, "Reasonably"), (5.5, "Exceptional")]
)
def test_a_score_is_read_as_the_paper_does(points, word):
    assert word in reading(points)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.title))
def test_what_is_done_has_something_that_proves_it(row):
    assert (row.state == "missing") == (not row.commands)
    assert row.state != "automated" or row.tests


@pytest.mark.parametrize("named", sorted({test for row in ROWS for test in row.tests}))
def test_each_test_that_is_named_exists(named):
    path, _, name = named.partition("::")
    source = (ROOT / path).read_text(encoding="utf-8")

    assert re.search(rf"^def {name or 'test_'}", source, re.MULTILINE)


@pytest.mark.parametrize("command", sorted({row.command for row in ROWS if row.command}))
def test_each_command_that_is_named_exists(command):
    match command.split():
        case ["python", "manage.py", name, *_]:
            assert name in get_commands()
        case ["python", "-m", module]:
            assert find_spec(module)
        case ["make", target]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        case _:
            pytest.fail(f"What kind of command is this? {command}")


def test_the_page_shows_every_row_with_its_proof(client, db):
    page = client.get("/ml-test-score").text

    assert page.count("data-state=") == 28
    for row in ROWS:
        assert all(command in page for command in row.commands)
    assert f"{score()} of 7" in page
