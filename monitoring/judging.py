"""What is wrong by the rules, at one moment: figures against limits, in words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from classifier.numerals import number
from monitoring import figures
from monitoring.deadlines import Patient
from monitoring.judges import JUDGES, Measured
from monitoring.rules import SEVERITIES, Rule, rules
from monitoring.saying import from_file, later

DATABASE = "database"
_SECONDS_FOR_THE_DATABASE = 3.0


@dataclass(frozen=True)
class Finding:
    """A rule that does not hold now; its texts are in the language of whoever reads them.

    Attributes:
        rule: Its name.
        severity: `critical`, `warning` or `info`.
        title: What is wrong, in a few words.
        words: What was measured, against what, over how many photos.
        do: What to do about it.
        value: What was measured; a share, milliseconds, days or photos: see the rule.
        limit: What it should have kept to.
        photos: How many photos, or opinions, it was measured on; None where that means nothing.
    """

    rule: str
    severity: str
    title: str
    words: str
    do: str
    value: float
    limit: float
    photos: int | None


def evaluate(now: datetime, *, database_answers: Callable[[], bool] | None = None) -> list[Finding]:
    """All that is wrong at a moment, the most severe first. It changes nothing.

    Args:
        now: The moment.
        database_answers: Asks the database; stands in for the real question.

    Raises:
        RulesError: if the file of rules cannot be used.
    """
    in_force = rules()
    if not (database_answers or database_answers_in_time)():
        return [database_away(in_force[DATABASE])] if DATABASE in in_force else []
    found = [
        _finding(rule, measured)
        for name, rule in in_force.items()
        if name in JUDGES and (measured := JUDGES[name](rule, now))
    ]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def database_away(rule: Rule) -> Finding:
    seconds = _SECONDS_FOR_THE_DATABASE
    waiting = figures.spool().waiting

    def words() -> str:
        told = _("The database did not answer within %(seconds)s s.") % {
            "seconds": f"{seconds:.0f}"
        }
        if not waiting:
            return told
        return _("%(told)s Answers that wait on disk until it does: %(count)s.") % {
            "told": told,
            "count": number(f"{waiting:,}"),
        }

    return _finding(rule, Measured(later(words), seconds, seconds))


_database = Patient(figures.database, _SECONDS_FOR_THE_DATABASE)


def database_answers_in_time() -> bool:
    found = _database.answer()
    return found is not None and found.is_up


def _finding(rule: Rule, measured: Measured) -> Finding:
    return Finding(
        rule=rule.name,
        severity=rule.severity,
        title=from_file(rule.title),
        words=measured.words,
        do=from_file(rule.do),
        value=measured.value,
        limit=measured.limit,
        photos=measured.photos,
    )
