"""docs/security.md names tests that exist, and each row that the standards have."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
# OWASP ASVS 5.0.0, chapter V5, with the level of each row.
ASVS = {
    **{"5.1.1": 2, "5.2.1": 1, "5.2.2": 1, "5.2.3": 2, "5.2.4": 3, "5.2.5": 3, "5.2.6": 3},
    **{"5.3.1": 1, "5.3.2": 1, "5.3.3": 3, "5.4.1": 2, "5.4.2": 2, "5.4.3": 2},
}


def test_each_test_that_is_named_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)

    assert len(named) > 30
    for path, name in named:
        source = (ROOT / path).read_text(encoding="utf-8")
        assert not name or re.search(rf"^def {name}\(", source, re.MULTILINE), (path, name)


def test_each_row_of_the_standard_is_there_with_its_level():
    rows = re.findall(r"^\| (5\.\d\.\d) \| (\d) \|", PAGE, re.MULTILINE)

    assert {row: int(level) for row, level in rows} == ASVS


def test_each_row_names_what_shows_it():
    rows = [line for line in PAGE.splitlines() if re.match(r"\| (5\.\d\.\d|[A-Z])", line)]

    assert len(rows) >= len(ASVS) + 15
    assert [row for row in rows if "`tests/" not in row] == []


def test_a_hole_is_reported_in_private_and_to_nobody_by_name():
    policy = (ROOT / "SECURITY.md").read_text(encoding="utf-8")

    assert "Report a vulnerability" in policy
    assert not re.search(r"[\w.]+@[\w.]+", policy)
