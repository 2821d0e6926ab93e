"""The ML Test Score: 28 tests of a project that learns, and what is done about each here.

Source:
    Breck, Cai, Nielsen, Salib, Sculley: "The ML Test Score: A Rubric for ML Production Readiness
    and Technical Debt Reduction", IEEE Big Data 2017.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from monitoring.saying import from_file

_FILE = Path(__file__).with_name("ml_test_score.toml")
POINTS = {"automated": 1.0, "by hand": 0.5, "missing": 0.0}
# The paper's reading of a score, from the first that is not below it.
_READINGS = (
    (0.0, gettext_noop("More a research project than something to rely on.")),
    (1.0, gettext_noop("Not wholly untested, but serious holes may be left.")),
    (2.0, gettext_noop("A first pass at productionisation; more is to be done.")),
    (3.0, gettext_noop("Reasonably tested; more of it could be automated.")),
    (5.0, gettext_noop("Strong automated testing and monitoring, fit for what must not fail.")),
    (7.0, gettext_noop("Exceptional automated testing and monitoring.")),
)


@dataclass(frozen=True)
class Row:
    """One of the 28 tests; title and how are in the language of whoever reads them.

    Attributes:
        section: Data, Model, Infrastructure or Monitoring.
        title: What should be so.
        state: A key of `POINTS`.
        how: What is done about it, or why nothing is.
        tests: What pytest runs to prove it: files, or tests of them.
        command: What a person runs to see it.
    """

    section: str
    title: str
    state: str
    how: str
    tests: tuple[str, ...] = ()
    command: str = ""

    @property
    def points(self) -> float:
        return POINTS[self.state]

    @property
    def state_words(self) -> str:
        return {
            "automated": pgettext("state of a test", "Automated"),
            "by hand": pgettext("state of a test", "By hand"),
            "missing": pgettext("state of a test", "Missing"),
        }[self.state]

    @property
    def commands(self) -> list[str]:
        """What proves it, ready to be run in the checkout."""
        proof = f"python -m pytest {' '.join(self.tests)}" if self.tests else ""
        return [each for each in (self.command, proof) if each]


@dataclass(frozen=True)
class Section:
    """Seven of them, and their points.

    Attributes:
        name: In addresses.
        title: In the language of whoever reads it.
        rows: The seven.
    """

    name: str
    title: str
    rows: tuple[Row, ...]

    @property
    def points(self) -> float:
        return sum(row.points for row in self.rows)


@cache
def sections() -> tuple[Section, ...]:
    """All 28 tests in the paper's four sections."""
    listed = tomllib.loads(_FILE.read_text(encoding="utf-8"))["row"]
    rows = [
        Row(**{**row, "tests": tuple(row.get("tests", ())), **_read_later(row)}) for row in listed
    ]
    grouped = groupby(rows, key=lambda row: row.section)
    return tuple(Section(title.lower(), from_file(title), tuple(of_it)) for title, of_it in grouped)


def _read_later(row: dict[str, str]) -> dict[str, str]:
    return {name: from_file(row[name]) for name in ("title", "how")}


def score() -> float:
    """The score: that of the weakest section."""
    return min(section.points for section in sections())


def reading(points: float) -> str:
    """What the paper says of a score."""
    return _(next(words for limit, words in _READINGS if points <= limit))
