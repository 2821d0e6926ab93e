"""Rules on the answers of the live version: are they as they used to be, and are they right."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from classifier.models import ModelVersion, Prediction
from feedback.models import Feedback
from ml.inference import NEITHER, UNSURE
from monitoring import figures
from monitoring.figures import Moved, Period, Share
from monitoring.figures.drift import BASELINE
from monitoring.judges.measured import Measured, is_above, is_below, percent
from monitoring.rules import Rule


def unsure(rule: Rule, now: datetime) -> Measured | None:
    found = _live_answers(rule, now)
    told = {answer: found.by_answer.get(answer, 0) for answer in (UNSURE, NEITHER)}
    share = Share(sum(told.values()), found.count)
    if share.count < rule["min_photos"] or not is_above(share, rule["limit"]):
        return None
    return Measured(
        f"{percent(share)} of the last {share.count} answers were unsure ({told[UNSURE]}) or "
        f"neither ({told[NEITHER]}). At most {rule['limit']:.0%} is the limit.",
        share.share or 0.0,
        rule["limit"],
        share.count,
    )


def labels(rule: Rule, now: datetime) -> Measured | None:
    live = ModelVersion.objects.live().first()
    if live is None or len(live.labels) != 2:
        return None
    answers = _live_answers(rule, now).by_answer
    count = sum(answers.get(label, 0) for label in live.labels)
    if not count or count < rule["min_photos"]:
        return None
    for label in sorted(live.labels, key=lambda label: -answers.get(label, 0)):
        share = Share(answers.get(label, 0), count)
        is_high = is_above(share, rule["high"])
        if is_high or is_below(share, rule["low"]):
            words = (
                f"{percent(share)} of the last {count} photos that got a label were answered "
                f"{label}; usual is {rule['low']:.0%} to {rule['high']:.0%}."
            )
            return Measured(words, share.share or 0.0, rule["high" if is_high else "low"], count)
    return None


def agreement(rule: Rule, now: datetime) -> Measured | None:
    live = ModelVersion.objects.live().first()
    if live is None:
        return None
    since = now - timedelta(hours=rule["hours"])
    opinions = Feedback.objects.filter(
        prediction__version=live, prediction__created_at__gte=since, prediction__created_at__lt=now
    )
    period = Period(_begin(opinions, "prediction__created_at", rule["opinions"], since), now)
    share = figures.agreement(period, live.name).overall
    if share.count < rule["min_opinions"] or not is_below(share, rule["limit"]):
        return None
    return Measured(
        f"{percent(share)} of the last {share.count} opinions say that {live} was right, surely "
        f"below the limit of {rule['limit']:.0%}.",
        share.share or 0.0,
        rule["limit"],
        share.count,
    )


def drift(rule: Rule, now: datetime) -> Measured | None:
    found = figures.drift(_last_photos(rule, now))
    moved = [
        each
        for each in found.alarms
        if each.reference == BASELINE
        and each.measure in rule["measures"]
        and each.photos >= rule["min_photos"]
    ]
    if not moved:
        return None
    moved.sort(key=lambda each: each.limit - each.index)
    first = moved[0]
    return Measured(
        f"Compared with {found.version}'s first photos: {', '.join(map(_as_words, moved))}.",
        first.index,
        first.limit,
        first.photos,
    )


def _as_words(moved: Moved) -> str:
    name = moved.measure.replace("_", " ")
    return (
        f"{name} moved by {moved.index:.2f} (limit {moved.limit:.2f}, {moved.photos} against "
        f"{moved.reference_photos} photos)"
    )


def _live_answers(rule: Rule, now: datetime) -> figures.Answers:
    live = ModelVersion.objects.live().first()
    if live is None:
        return figures.Answers(0, {})
    return figures.answers(_last_photos(rule, now), live.name)


def _last_photos(rule: Rule, now: datetime) -> Period:
    """The time in which the last `photos` came, at most `hours`."""
    since = now - timedelta(hours=rule["hours"])
    rows = Prediction.objects.filter(created_at__gte=since, created_at__lt=now)
    return Period(_begin(rows, "created_at", rule["photos"], since), now)


def _begin(rows: QuerySet, field: str, number: int, since: datetime) -> datetime:
    """When the last so many rows begin; `since` if there are fewer."""
    place = max(number, 1) - 1
    newest_first = rows.order_by(f"-{field}").values_list(field, flat=True)
    begin: datetime | None = next(iter(newest_first[place : place + 1]), None)
    return begin or since
