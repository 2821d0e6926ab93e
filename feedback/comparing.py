"""Two versions side by side, and where the difference between their numbers means something."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q
from django.utils.translation import gettext, gettext_noop, ngettext

from feedback.models import Replay, ReplayedAnswer, Run
from feedback.portraits import Portrait
from feedback.readings import (
    count,
    decimal,
    interval,
    mapping,
    number,
    points,
    share,
    signed_decimal,
)
from feedback.retelling import retell

_Write = Callable[[object], str]
# What is compared: where it stands in the scores, how it is called, whether it is a share, and
# whether more of it is better (None: neither).
_MEASURES: tuple[tuple[tuple[str, ...], str, bool, bool | None], ...] = (
    (("accuracy",), gettext_noop("Accuracy"), True, True),
    (("log_loss",), gettext_noop("Log loss"), False, False),
    (("brier",), gettext_noop("Brier score"), False, False),
    (("ece",), gettext_noop("Calibration error"), False, False),
    (("told", "answered"), gettext_noop("Answered with a label"), True, None),
    (("told", "right"), gettext_noop("Right among those"), True, True),
    (("told", "unsure"), gettext_noop("Told “unsure”"), True, None),
    (("told", "neither"), gettext_noop("Told “neither”"), True, None),
)


@dataclass(frozen=True)
class Row:
    """One measure of both; `difference` is empty where none is claimed."""

    name: str
    a: str
    b: str
    difference: str = ""
    tendency: str = ""  # "better" or "worse", of the second
    below_a: str = ""
    below_b: str = ""


@dataclass(frozen=True)
class Replayed:
    """What one version says of photos that the other one answered."""

    answered_by: str
    replayed_on: str
    count: int
    same: int

    @property
    def share(self) -> str:
        return share(self.same / self.count)


@dataclass(frozen=True)
class Comparison:
    """Two versions, the second seen from the first.

    Attributes:
        why_not: Why no difference is claimed; empty: they were measured on the same photos.
        judged: The one that was judged against the other, on the same photos; None: neither was.
    """

    a: Portrait
    b: Portrait
    why_not: str
    measures: list[Row]
    slices: list[Row]
    judged: Portrait | None
    replayed: Replayed | None


def compare(a: Portrait, b: Portrait) -> Comparison:
    """Compare `b` with `a`; differences are claimed where both were measured on the same photos."""
    why_not = _why_not(a, b)
    return Comparison(
        a=a,
        b=b,
        why_not=why_not,
        measures=_measures(a, b, claimed=not why_not),
        slices=_slices(a, b, claimed=not why_not),
        judged=_judged(a, b),
        replayed=_replayed(a, b) or _replayed(b, a),
    )


def _why_not(a: Portrait, b: Portrait) -> str:
    digests = (a.version.data_digest, b.version.data_digest)
    if not all(digests):
        return gettext("it is not known what both were measured on")
    if digests[0] != digests[1]:
        return gettext("they were measured on different data")
    if a.scores.get("count") != b.scores.get("count"):
        return gettext("they were measured on %(one)s and on %(other)s photos") % {
            "one": a.judged_on,
            "other": b.judged_on,
        }
    return ""


def _measures(a: Portrait, b: Portrait, claimed: bool) -> list[Row]:
    rows = []
    for place, name, is_share, more_is_better in _MEASURES:
        pair = _at(a.scores, place), _at(b.scores, place)
        if pair == (None, None):
            continue
        below = [interval(p.scores.get("accuracy_interval")) for p in (a, b)]
        row = _row(gettext(name), *pair, is_share=is_share, better=more_is_better, claimed=claimed)
        rows.append(_with_intervals(row, *below) if place == ("accuracy",) else row)
    return rows


def _at(scores: Mapping[str, Any], place: tuple[str, ...]) -> float | None:
    value: object = scores
    for name in place:
        value = mapping(value).get(name)
    return number(value)


def _row(
    name: str,
    a: float | None,
    b: float | None,
    *,
    is_share: bool,
    better: bool | None,
    claimed: bool,
) -> Row:
    write: _Write = share if is_share else decimal
    if a is None or b is None or not claimed:
        return Row(name, write(a), write(b))
    difference = points(b - a) if is_share else signed_decimal(b - a)
    tendency = ""
    if better is not None and not difference.startswith("±"):
        tendency = "better" if (b > a) == better else "worse"
    return Row(name, write(a), write(b), difference, tendency)


def _with_intervals(row: Row, a: str, b: str) -> Row:
    return Row(row.name, row.a, row.b, row.difference, row.tendency, a, b)


def _slices(a: Portrait, b: Portrait, claimed: bool) -> list[Row]:
    """Accuracy by slice; two slices of different size are of different photos."""
    found = [mapping(portrait.scores.get("slices")) for portrait in (a, b)]
    rows = []
    for name in dict.fromkeys([*found[0], *found[1]]):
        one, other = (mapping(each.get(name)) for each in found)
        same = claimed and one.get("count") == other.get("count")
        scores = number(one.get("accuracy")), number(other.get("accuracy"))
        row = _row(retell(name), *scores, is_share=True, better=True, claimed=same)
        sizes = [_photos(each.get("count")) if each else "" for each in (one, other)]
        rows.append(_with_intervals(row, *sizes))
    return rows


def _photos(found: object) -> str:
    words = ngettext("%(photos)s photos", "%(photos)s photos", int(number(found) or 0))
    return words % {"photos": count(found)}


def _judged(a: Portrait, b: Portrait) -> Portrait | None:
    for candidate, live in ((b, a), (a, b)):
        if candidate.checks and candidate.run and candidate.run.live_id == live.version.pk:
            return candidate
    return None


def _replayed(a: Portrait, b: Portrait) -> Replayed | None:
    """How often `b` said the same as `a` had, in the last replay that was finished."""
    replay = Replay.objects.filter(version=b.version, state=Run.State.DONE).first()
    if replay is None:
        return None
    answers = ReplayedAnswer.objects.filter(replay=replay, prediction__version=a.version)
    same = Q(answer=F("prediction__answer"))
    found = answers.aggregate(count=Count("pk"), same=Count("pk", filter=same))
    if not found["count"]:
        return None
    return Replayed(a.version.name, b.version.name, found["count"], found["same"])
