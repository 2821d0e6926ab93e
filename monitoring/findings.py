"""Whether all is well at this moment, in words: one sentence for each thing to look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring import figures, limits
from monitoring.figures.drift import BASELINE, HOLDOUT
from monitoring.figures.quality import Share
from monitoring.periods import Period
from monitoring.plots.quality import moved_name
from monitoring.tables import count, milliseconds, share

_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Finding:
    """Something to look at.

    Attributes:
        words: What is the matter, with its numbers and its time.
        look: The name of the plot that shows it; empty if none does.
    """

    words: str
    look: str = ""


@dataclass(frozen=True)
class State:
    """How things are.

    Attributes:
        headline: Whether all is well, in one line.
        findings: What is not.
        summary: What that rests on.
        is_well: Whether there are none.
    """

    headline: str
    findings: tuple[Finding, ...]
    summary: str

    @property
    def is_well(self) -> bool:
        return not self.findings


def state(now: datetime) -> State:
    """How things are at this moment, whatever period is looked at."""
    found, summary = tuple(_findings(now)), _summary(now)
    if len(found) > 1:
        return State(f"Look at these {len(found)} things.", found, summary)
    return State("Look at this." if found else "All is well.", found, summary)


def _summary(now: datetime) -> str:
    day = Period.last(_DAY, until=now)
    latency = figures.latency(day)
    p50 = latency.total.p50
    if p50 is None:
        return "No photo was answered in the last 24 hours, so there is little to tell."
    photos = "1 photo was" if latency.count == 1 else f"{count(latency.count)} photos were"
    told = f"{photos} answered in the last 24 hours, half of them within {milliseconds(p50)}"
    judged = figures.agreement(day).overall
    if judged.share is None:
        return f"{told}; nobody said whether the answers were right."
    return f"{told}; {share(judged.share)} of {count(judged.count)} opinions say “right”."


def _findings(now: datetime) -> Iterator[Finding]:
    yield from _of_the_database()
    yield from _of_silence(now)
    yield from _of_latency(now)
    yield from _of_refusals(now)
    yield from _of_answers(now)
    yield from _of_agreement(now)
    yield from _of_drift(now)
    yield from _of_upkeep(now)


def _of_the_database() -> Iterator[Finding]:
    found = figures.database()
    if found.milliseconds is None:
        yield Finding("The database does not answer.")
    elif found.milliseconds > limits.DATABASE_SLOW_MS:
        yield Finding(f"The database is slow: it took {milliseconds(found.milliseconds)}.")


def _of_silence(now: datetime) -> Iterator[Finding]:
    """Silence is what differs from yesterday and from a week ago: nights are quiet."""
    if figures.answers(Period.last(_HOUR, until=now)).count:
        return
    usual = [figures.answers(Period.last(_HOUR, until=now - ago)).count for ago in (_DAY, _WEEK)]
    if min(usual) >= limits.EXPECTED_PHOTOS:
        yield Finding(
            "No photo was answered in the last hour; "
            f"yesterday at this time there were {count(usual[0])}.",
            "predictions",
        )


def _of_latency(now: datetime) -> Iterator[Finding]:
    lately = figures.latency(Period.last(_HOUR, until=now))
    p95 = lately.total.p95
    if p95 is None or lately.count < limits.ENOUGH_PHOTOS:
        return
    usual = figures.latency(Period.last(_WEEK, until=now - _HOUR))
    known = usual.total.p95 if usual.count >= limits.ENOUGH_PHOTOS else None
    if known is not None and p95 > limits.SLOWER_THAN_USUAL * known:
        yield Finding(
            f"Answers are slower than usual: in the last hour one of twenty took longer than "
            f"{milliseconds(p95)}; in the week before it was {milliseconds(known)}.",
            "latency",
        )
    elif p95 > limits.SLOW_MS:
        yield Finding(
            f"Answers are slow: in the last hour one of twenty took longer than "
            f"{milliseconds(p95)}.",
            "latency",
        )


def _of_refusals(now: datetime) -> Iterator[Finding]:
    period = Period.last(_HOUR, until=now)
    refused = figures.refusals(period)
    if refused.count < limits.REFUSED_AT_LEAST:
        return
    came = refused.count + figures.answers(period).count
    if refused.count > limits.REFUSED_ABOVE * came:
        code = next(iter(refused.by_code))
        yield Finding(
            f"Many photos are refused: {count(refused.count)} of {count(came)} in the last hour, "
            f"most of them as {code}.",
            "refusals",
        )


def _of_answers(now: datetime) -> Iterator[Finding]:
    found = figures.answers(Period.last(_DAY, until=now))
    if found.count < limits.ENOUGH_PHOTOS:
        return
    labelled = {k: n for k, n in found.by_answer.items() if k in found.label_shares}
    total = sum(labelled.values())
    if (low := _interval(found.count - total, found.count)[0]) > limits.UNSURE_OR_NEITHER_ABOVE:
        yield Finding(
            f"Many answers are unsure or neither: {share(1 - total / found.count)} of "
            f"{count(found.count)} in the last 24 hours, at least {share(low)} allowing for "
            "chance.",
            "answers",
        )
    if total < limits.ENOUGH_PHOTOS:
        return
    least, most = limits.LABEL_BETWEEN
    for label, number in labelled.items():
        low, high = _interval(number, total)
        if low > most or (high < least and len(labelled) == 2):
            yield Finding(
                f"{share(number / total)} of {count(total)} labels in the last 24 hours "
                f"are “{label}”; from {share(least)} to {share(most)} is usual.",
                "answers",
            )
            return  # where one label is too frequent, the other one is too rare


def _of_agreement(now: datetime) -> Iterator[Finding]:
    found = figures.agreement(Period.last(_WEEK, until=now)).overall
    if found.interval and found.interval[1] < limits.AGREEMENT_BELOW:
        yield Finding(
            f"People disagree: {share(found.part / found.count)} of {count(found.count)} opinions "
            f"on the last 7 days say that we were right, at most {share(found.interval[1])} "
            f"allowing for chance; {share(limits.AGREEMENT_BELOW)} is the limit.",
            "agreement",
        )


def _of_drift(now: datetime) -> Iterator[Finding]:
    found = figures.drift(Period.last(_DAY, until=now))
    # Against the holdout, a site that is used otherwise than the training data differs for ever.
    of = BASELINE if found.has_baseline else HOLDOUT
    alarms = [each for each in found.alarms if each.reference == of]
    for moved in sorted(alarms, key=lambda each: -each.index / each.limit)[:2]:
        yield Finding(
            f"{moved_name(moved)} moved: drift {moved.index:.2f} of {count(moved.photos)} photos "
            f"in the last 24 hours, and up to {moved.limit:.2f} can be chance.",
            "drift",
        )


def _of_upkeep(now: datetime) -> Iterator[Finding]:
    waiting = figures.review_backlog().photos
    if waiting > limits.BACKLOG_ABOVE:
        yield Finding(f"{count(waiting)} photos wait for a reviewer.")
    age = figures.model_age(now)
    if age.version is None or age.since_training is None:
        yield Finding("No version is live: nothing can be answered.")
    elif age.since_training > limits.MODEL_OLDER_THAN:
        yield Finding(f"The live version was trained {age.since_training.days} days ago.")


def _interval(part: int, whole: int) -> tuple[float, float]:
    return Share(part, whole).interval or (0.0, 1.0)
