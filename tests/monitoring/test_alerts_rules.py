"""The file of rules: what ships, what may be changed, and what is refused with its name."""

import re
from pathlib import Path

import pytest

from monitoring import alerts
from monitoring.judges import JUDGES
from monitoring.rules import SEVERITIES, SHIPPED, RulesError, read_rules, rules

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")


@pytest.fixture
def own(tmp_path, settings):
    """Writes a file of one's own and reads all rules."""
    numbers = iter(range(100))

    def write(text):
        path = tmp_path / f"{next(numbers)}.toml"
        path.write_text(text, encoding="utf-8")
        settings.ALERT_RULES = path
        return rules()

    return write


def test_every_rule_that_ships_is_judged_and_every_judge_has_a_rule():
    assert read_rules().keys() == JUDGES.keys() | {"database"}


@pytest.mark.parametrize("name", read_rules())
def test_a_rule_says_how_bad_it_is_and_what_to_do(name):
    rule = read_rules()[name]

    assert rule.severity in SEVERITIES
    assert 10 < len(rule.title) < 60
    assert 40 < len(rule.do) <= 300


@pytest.mark.parametrize("name", read_rules())
def test_a_rule_has_its_section_in_the_docs(name):
    assert re.search(rf"^## \[{name}\]", DOCS, re.MULTILINE)


def test_the_docs_have_no_section_on_a_rule_that_is_gone():
    assert set(re.findall(r"^## \[(\w+)\]", DOCS, re.MULTILINE)) == set(read_rules())


def test_a_file_of_one_s_own_changes_what_it_names(own):
    changed = own('[slow]\nlimit_ms = 2500\nseverity = "info"\n')

    assert (changed["slow"]["limit_ms"], changed["slow"].severity) == (2500, "info")
    assert changed["slow"]["minutes"] == read_rules()["slow"]["minutes"]
    assert changed["drift"] == read_rules()["drift"]


def test_a_rule_can_be_turned_off(own):
    assert "old" not in own("[old]\non = false\n")


def test_what_ships_is_not_changed_by_what_is_laid_over_it(own):
    before = SHIPPED.read_text()
    own("[slow]\nlimit_ms = 2500\n")

    assert read_rules()["slow"]["limit_ms"] == 1000
    assert SHIPPED.read_text() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[slwo]\nlimit_ms = 1", r"there is no rule \[slwo\]. Rules: database, servers, spool"),
        ("[slow]\nlimit = 1", r"\[slow\]: limit is unknown. It has on, severity"),
        ("[slow]\nlimit_ms = 'much'", "limit_ms is a number at or above 0, not 'much'"),
        ("[slow]\nlimit_ms = true", "limit_ms is a number"),
        ("[slow]\nlimit_ms = -1", "limit_ms is a number"),
        ("[slow]\nlimit_ms = nan", "limit_ms is a number"),
        ("[slow]\nmin_photos = 1.5", "min_photos is a whole number"),
        ("[slow]\non = 1", "on is true or false"),
        ("[slow]\nseverity = 'dire'", "severity is one of critical, warning, info"),
        ("[slow]\ntitle = 'a\\nb'", None),
        ('[slow]\ntitle = "a\\nBcc: b"', "title is one line"),
        ("[slow]\ntitle = ''", "title is one line"),
        ("[unsure]\nlimit = 40", "limit is a share from 0 to 1, not 40"),
        ("[drift]\nmeasures = 'novelty'", "measures is a list of texts"),
        ("[drift]\nmeasures = [1]", "measures is a list of texts"),
        ("slow = 3", "is a table"),
        ("[slow", "is not written in TOML"),
    ],
)
def test_a_mistake_is_named(own, text, words):
    if words is None:  # a backslash within '…' is a backslash
        assert own(text)["slow"].title == "a\\nb"
        return
    with pytest.raises(RulesError, match=words):
        own(text)


def test_a_file_that_is_not_there_is_named(settings, tmp_path):
    settings.ALERT_RULES = tmp_path / "none.toml"

    with pytest.raises(RulesError, match=r"none\.toml cannot be read"):
        rules()


def test_a_server_does_not_start_with_a_broken_file(settings, tmp_path):
    settings.ALERT_RULES = tmp_path / "none.toml"

    with pytest.raises(RulesError):
        alerts.start()


def test_nothing_runs_in_the_background_where_that_is_turned_off(settings):
    settings.ALERTS_EVERY = 0

    assert alerts.start() is None
