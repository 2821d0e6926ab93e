"""Whether all is well at this moment, in words: by the rules, and a little beyond them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from monitoring import figures
from monitoring.judging import evaluate
from monitoring.periods import Period
from monitoring.tables import count, milliseconds, share

# The plot that shows what a rule judges.
_PLOTS = {
    "slow": "latency",
    "refusals": "refused",
    "quiet": "predictions",
    "unsure": "answers",
    "labels": "answers",
    "agreement": "agreement",
    "drift": "drift",
}
_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)

# Worth a sentence to who looks anyway, and no mail.
SLOWER_THAN_USUAL = 1.5
_ENOUGH_PHOTOS = 50
DATABASE_SLOW_MS = 500.0
# Of fewer, as the rules ship, none judges the answers.
_FEW_PHOTOS = 100


@dataclass(frozen=True)
class Finding:
    """Something to look at.

    Attributes:
        title: What is the matter, in a few words.
        words: What was measured, against what, over how many photos.
        do: What to do about it.
        look: The name of the plot that shows it; empty if none does.
    """

    title: str
    words: str
    do: str
    look: str = ""


@dataclass(frozen=True)
class State:
    """How things are.

    Attributes:
        headline: Whether all is well, in one line.
        findings: What is not.
        summary: What that rests on.
    """

    headline: str
    findings: tuple[Finding, ...]
    summary: str

    @property
    def is_well(self) -> bool:
        return not self.findings


def state(now: datetime) -> State:
    """How things are at this moment, whatever period is looked at."""
    found = tuple(_findings(now))
    if not found:
        headline = _("All is well.")
    elif len(found) == 1:
        headline = _("Look at this: %(title)s.") % {"title": _uncapitalised(found[0].title)}
    else:
        headline = ngettext(
            "Look at this %(count)s thing.", "Look at these %(count)s things.", len(found)
        ) % {"count": len(found)}
    return State(headline, found, _summary(now))


def _uncapitalised(words: str) -> str:
    return f"{words[0].lower()}{words[1:]}"


def _findings(now: datetime) -> Iterator[Finding]:
    """By the rules, the most severe first, as in a mail but at once; then what is no alert."""
    by_rule = {
        found.rule: Finding(
            str(found.title), str(found.words), str(found.do), _PLOTS.get(found.rule, "")
        )
        for found in evaluate(now, database_answers=lambda: figures.database().is_up)
    }
    yield from by_rule.values()
    if not {"database", "servers"} & by_rule.keys():
        yield from _of_nothing_live(now)
        yield from _of_a_slow_database()
    if "slow" not in by_rule:
        yield from _of_being_slower_than_usual(now)


def _of_nothing_live(now: datetime) -> Iterator[Finding]:
    if figures.model_age(now).version is None:
        yield Finding(
            _("No version is live"),
            _("No photo can be answered."),
            _(
                "manage.py register_models makes the versions in CATSDOGS_MODELS known, "
                "manage.py promote_model NAME lets one of them answer."
            ),
        )


def _of_a_slow_database() -> Iterator[Finding]:
    took = figures.database().milliseconds
    if took is not None and took > DATABASE_SLOW_MS:
        yield Finding(
            _("The database is slow"),
            _("It took %(time)s to say that it is there.") % {"time": milliseconds(took)},
            _("What else runs on its machine? Is its disk busy, or nearly full?"),
        )


def _of_being_slower_than_usual(now: datetime) -> Iterator[Finding]:
    lately = figures.latency(Period.last(_HOUR, until=now))
    if lately.total.p95 is None or lately.count < _ENOUGH_PHOTOS:
        return
    usual = figures.latency(Period.last(_WEEK, until=now - _HOUR))
    if usual.total.p95 is None or usual.count < _ENOUGH_PHOTOS:
        return
    if lately.total.p95 > SLOWER_THAN_USUAL * usual.total.p95:
        yield Finding(
            _("Answers are slower than usual"),
            _(
                "One answer in twenty took over %(lately)s in the last hour; in the week before "
                "it was %(usual)s."
            )
            % {
                "lately": milliseconds(lately.total.p95),
                "usual": milliseconds(usual.total.p95),
            },
            _(
                "Is the machine busy with something else? Was another version promoted? Are "
                "photos larger than before?"
            ),
            "latency",
        )


def _summary(now: datetime) -> str:
    day = Period.last(_DAY, until=now)
    latency = figures.latency(day)
    p50 = latency.total.p50
    if p50 is None:
        return _("No photo was answered in the last 24 hours, so there is little to tell.")
    answered = ngettext(
        "%(count)s photo was answered in the last 24 hours, half of them within %(time)s",
        "%(count)s photos were answered in the last 24 hours, half of them within %(time)s",
        latency.count,
    ) % {"count": count(latency.count), "time": milliseconds(p50)}
    said = _("%(answered)s; %(judged)s.") % {
        "answered": answered,
        "judged": _judged(figures.agreement(day).overall),
    }
    few = _("That is too little to judge the answers by.")
    return f"{said} {few}" if latency.count < _FEW_PHOTOS else said


def _judged(found: figures.Share) -> str:
    if found.share is None:
        return _("nobody said whether the answers were right")
    return ngettext(
        "%(share)s of %(count)s opinion says “right”",
        "%(share)s of %(count)s opinions say “right”",
        found.count,
    ) % {"share": share(found.share), "count": count(found.count)}
