"""What the insights page shows of a period: tiles and plots."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from monitoring import figures
from monitoring.asked import Asked
from monitoring.figures.sureness import LOW_CONFIDENCE
from monitoring.once import asked_once
from monitoring.periods import Period
from monitoring.plots import PLOTS, Plot
from monitoring.reach import Scope
from monitoring.tables import count, milliseconds, share

_NOTHING = "–"


@dataclass(frozen=True)
class Tile:
    """One number, with what it is of and what to know about it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Board:
    """All of it."""

    tiles: tuple[Tile, ...]
    plots: tuple[Plot, ...]


def board(asked: Asked, now: datetime) -> Board:
    with asked_once(Scope(asked.period, asked.version)):
        return Board(
            tiles=(*_of_the_period(asked), *_of_now(now)),
            plots=tuple(plot(asked) for plot in PLOTS.values()),
        )


def digest(shown: object) -> str:
    """Tells whether what is shown has changed; the same in every process."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:12]


def _of_the_period(asked: Asked) -> list[Tile]:
    answers = asked.of(figures.answers)
    latency = asked.of(figures.latency).total
    sure = asked.of(figures.confidence)
    given = asked.of(figures.feedback_share).predictions
    half = ""
    if latency.p50 is not None:
        half = _("half within %(time)s") % {"time": milliseconds(latency.p50)}
    of_answered = _("%(part)s of %(count)s answered") % {
        "part": count(given.part),
        "count": count(given.count),
    }
    return [
        Tile(_("Photos answered"), count(answers.count), _per_day(answers.count, asked.period)),
        Tile(_("19 of 20 within"), _or_nothing(milliseconds, latency.p95), half),
        Tile(
            _("Unsure or neither"),
            _or_nothing(share, answers.unsure_or_neither),
            _("of all answers"),
        ),
        Tile(
            _("Not very sure"),
            _or_nothing(share, sure.low_share),
            _("confidence below %(share)s") % {"share": share(LOW_CONFIDENCE)},
        ),
        _agreement(asked),
        _estimate(asked),
        Tile(
            _("With feedback"),
            _or_nothing(share, given.share),
            of_answered if given.count else "",
        ),
    ]


def _agreement(asked: Asked) -> Tile:
    found = asked.of(figures.agreement).overall
    if found.interval is None:
        return Tile(_("Agreement"), _NOTHING, _("no feedback yet"))
    low, high = found.interval
    note = ngettext(
        "%(low)s to %(high)s allowing for chance, of %(count)s opinion",
        "%(low)s to %(high)s allowing for chance, of %(count)s opinions",
        found.count,
    ) % {"low": share(low), "high": share(high), "count": count(found.count)}
    return Tile(_("Agreement"), _or_nothing(share, found.share), note)


def _estimate(asked: Asked) -> Tile:
    found = asked.of(figures.estimated_accuracy)
    note = _("by its own confidence")
    if found.judged.share is not None and found.estimate_of_judged is not None:
        note = _(
            "by its own confidence; of those judged %(estimate)s, and %(right)s were right"
        ) % {"estimate": share(found.estimate_of_judged), "right": share(found.judged.share)}
    return Tile(_("Estimated accuracy"), _or_nothing(share, found.estimate), note)


def _of_now(now: datetime) -> list[Tile]:
    database, age = figures.database(), figures.model_age(now)
    waiting = figures.review_backlog().photos
    took = database.milliseconds
    answers = ""
    if took is not None:
        answers = _("in less than 1 ms") if took < 1 else milliseconds(took)
    live = _("none live")
    if age.version:
        live = _("%(version)s, live for %(age)s") % {
            "version": age.version,
            "age": _age(age.since_promotion),
        }
    to_review = ngettext("photo with feedback", "photos with feedback", waiting)
    return [
        Tile(_("To review"), count(waiting), to_review),
        Tile(_("Age of the model"), _age(age.since_training), live),
        Tile(
            _("Database"),
            pgettext("the database", "up") if database.is_up else pgettext("the database", "away"),
            answers,
        ),
    ]


def _or_nothing(write: Callable[[float], str], value: float | None) -> str:
    return _NOTHING if value is None else write(value)


def _per_day(number: int, period: Period) -> str:
    days = period.length / timedelta(days=1)
    if not number or days <= 1.5:
        return ""
    return _("%(count)s a day") % {"count": count(number / days)}


def _age(age: timedelta | None) -> str:
    if age is None:
        return _NOTHING
    if age < timedelta(days=2):
        return f"{age // timedelta(hours=1)}\N{NO-BREAK SPACE}h"
    return ngettext(
        "%(count)s\N{NO-BREAK SPACE}day", "%(count)s\N{NO-BREAK SPACE}days", age.days
    ) % {"count": count(age.days)}
