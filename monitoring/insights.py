"""What the insights page shows of a period: tiles and plots."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

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
    half = "" if latency.p50 is None else f"half within {milliseconds(latency.p50)}"
    return [
        Tile("Photos answered", count(answers.count), _per_day(answers.count, asked.period)),
        Tile("19 of 20 within", _or_nothing(milliseconds, latency.p95), half),
        Tile("Unsure or neither", _or_nothing(share, answers.unsure_or_neither), "of all answers"),
        Tile(
            "Not very sure",
            _or_nothing(share, sure.low_share),
            f"confidence below {share(LOW_CONFIDENCE)}",
        ),
        _agreement(asked),
        _estimate(asked),
        Tile(
            "With feedback",
            _or_nothing(share, given.share),
            f"{count(given.part)} of {count(given.count)} answered" if given.count else "",
        ),
    ]


def _agreement(asked: Asked) -> Tile:
    found = asked.of(figures.agreement).overall
    if found.interval is None:
        return Tile("Agreement", _NOTHING, "no feedback yet")
    low, high = found.interval
    note = f"{share(low)} to {share(high)} allowing for chance, of {_opinions(found.count)}"
    return Tile("Agreement", _or_nothing(share, found.share), note)


def _estimate(asked: Asked) -> Tile:
    found = asked.of(figures.estimated_accuracy)
    note = "by its own confidence"
    if found.judged.share is not None and found.estimate_of_judged is not None:
        note = (
            f"by its own confidence; of those judged {share(found.estimate_of_judged)}, "
            f"and {share(found.judged.share)} were right"
        )
    return Tile("Estimated accuracy", _or_nothing(share, found.estimate), note)


def _of_now(now: datetime) -> list[Tile]:
    database, age = figures.database(), figures.model_age(now)
    waiting = figures.review_backlog().photos
    took = database.milliseconds
    answers = "" if took is None else "in less than 1 ms" if took < 1 else milliseconds(took)
    return [
        Tile("To review", count(waiting), f"photo{'' if waiting == 1 else 's'} with feedback"),
        Tile(
            "Age of the model",
            _age(age.since_training),
            f"{age.version}, live for {_age(age.since_promotion)}" if age.version else "none live",
        ),
        Tile("Database", "up" if database.is_up else "away", answers),
    ]


def _or_nothing(write: Callable[[float], str], value: float | None) -> str:
    return _NOTHING if value is None else write(value)


def _opinions(number: int) -> str:
    return "1 opinion" if number == 1 else f"{count(number)} opinions"


def _per_day(number: int, period: Period) -> str:
    days = period.length / timedelta(days=1)
    return f"{count(number / days)} a day" if number and days > 1.5 else ""


def _age(age: timedelta | None) -> str:
    if age is None:
        return _NOTHING
    if age < timedelta(days=2):
        return f"{age // timedelta(hours=1)}\N{NO-BREAK SPACE}h"
    return f"{age.days}\N{NO-BREAK SPACE}days"
