"""Rules on the answers of the live version: are they as they used to be, and are they right."""

from datetime import datetime, timedelta
from functools import partial

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from classifier.models import ModelVersion, Prediction
from classifier.naming import label_name
from classifier.numerals import number, percent
from feedback.models import Feedback
from ml.inference import NEITHER, UNSURE
from monitoring import figures
from monitoring.figures import Moved, Period, Share
from monitoring.figures.drift import BASELINE
from monitoring.judges.measured import Measured, is_above, is_below
from monitoring.rules import Rule
from monitoring.saying import later


def unsure(rule: Rule, now: datetime) -> Measured | None:
    found = _live_answers(rule, now)
    told = {answer: found.by_answer.get(answer, 0) for answer in (UNSURE, NEITHER)}
    share = Share(sum(told.values()), found.count)
    if share.count < rule["min_photos"] or not is_above(share, rule["limit"]):
        return None

    def words() -> str:
        return _(
            "%(share)s of the last %(count)s answers were unsure (%(unsure)s) or neither "
            "(%(neither)s). At most %(limit)s is the limit."
        ) % {
            "share": percent(share.share or 0.0),
            "count": share.count,
            "unsure": told[UNSURE],
            "neither": told[NEITHER],
            "limit": percent(rule["limit"]),
        }

    return Measured(later(words), share.share or 0.0, rule["limit"], share.count)


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
            words = later(partial(_mostly, rule, label, share))
            return Measured(words, share.share or 0.0, rule["high" if is_high else "low"], count)
    return None


def _mostly(rule: Rule, label: str, share: Share) -> str:
    return _(
        "%(share)s of the last %(count)s photos that got a label were answered %(label)s; usual "
        "is %(low)s to %(high)s."
    ) % {
        "share": percent(share.share or 0.0),
        "count": share.count,
        "label": label_name(label),
        "low": percent(rule["low"]),
        "high": percent(rule["high"]),
    }


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

    def words() -> str:
        return _(
            "%(share)s of the last %(count)s opinions say that %(version)s was right, surely below "
            "the limit of %(limit)s."
        ) % {
            "share": percent(share.share or 0.0),
            "count": share.count,
            "version": live.name,
            "limit": percent(rule["limit"]),
        }

    return Measured(later(words), share.share or 0.0, rule["limit"], share.count)


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

    def words() -> str:
        return _("Compared with %(version)s's first photos: %(moved)s.") % {
            "version": found.version,
            "moved": ", ".join(map(_as_words, moved)),
        }

    return Measured(later(words), first.index, first.limit, first.photos)


# As the API and the rules name them, without the `_`.
_MEASURES = {
    "answer": pgettext_lazy("measure", "answer"),
    "photo_format": pgettext_lazy("measure", "photo format"),
    "confidence": pgettext_lazy("measure", "confidence"),
    "novelty": pgettext_lazy("measure", "novelty"),
    "pixels": pgettext_lazy("measure", "pixels"),
    "bytes": pgettext_lazy("measure", "bytes"),
}


def _as_words(moved: Moved) -> str:
    return _(
        "%(measure)s moved by %(index)s (limit %(limit)s, %(photos)s against %(reference)s photos)"
    ) % {
        "measure": _MEASURES[moved.measure],
        "index": number(f"{moved.index:.2f}"),
        "limit": number(f"{moved.limit:.2f}"),
        "photos": moved.photos,
        "reference": moved.reference_photos,
    }


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
