"""How far what comes in, and what is answered, has moved from what the version was made for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from classifier.models import ModelVersion
from ml.drift import alarm_limit, even_groups, population_stability_index
from ml.inference import NEITHER, UNSURE
from monitoring.bins import MEASURES
from monitoring.counting import count_answers, count_bins
from monitoring.models import Baseline, Holdout
from monitoring.periods import Period
from monitoring.reach import Scope

# Even among millions of photos, a smaller index is no change worth a mail: the customary line
# between "little or no change" and "some" (Yurdakul 2018, see `ml.drift`).
SMALLEST_CHANGE = 0.1
# With fewer photos, hardly any change would stand out from chance.
MIN_PHOTOS = 50

HOLDOUT, BASELINE = "holdout", "baseline"
_ORDERED = ("confidence", "novelty", "pixels", "bytes")
_NAMED = ("answer", "photo_format")


@dataclass(frozen=True)
class Moved:
    """How far one measure has moved.

    Attributes:
        measure: `answer`, `photo_format`, `confidence`, `novelty`, `pixels` or `bytes`.
        reference: `holdout`: the answers on the version's holdout, their shares from its card, how
            sure and how new they were from `monitoring.holdout`;
            `baseline`: the version's first thousand logged predictions.
        index: The population stability index.
        limit: Above it is an alarm: what chance passes once in a thousand times with so many
            photos, and at least `SMALLEST_CHANGE`.
        photos: Predictions compared.
        reference_photos: With how many.
    """

    measure: str
    reference: str
    index: float
    limit: float
    photos: int
    reference_photos: int

    @property
    def is_alarm(self) -> bool:
        return self.index > self.limit


@dataclass(frozen=True)
class Drift:
    """Of one version in a period.

    Attributes:
        version: Which one; None: none is live.
        photos: Its predictions in the period, those of its baseline left out.
        moved: Each measure against each reference that there is; nothing for fewer than
            `MIN_PHOTOS` photos.
        has_baseline: Whether the version has answered often enough to have one.
    """

    version: str | None
    photos: int
    moved: tuple[Moved, ...]
    has_baseline: bool

    @property
    def alarms(self) -> tuple[Moved, ...]:
        return tuple(each for each in self.moved if each.is_alarm)


def drift(period: Period, version: str | None = None) -> Drift:
    """Drift of inputs and answers against the version's references.

    The holdout is the reference from training, for answers, confidence and novelty; of sizes and
    formats nothing is known from there. All six are compared with the version's first thousand
    logged predictions, too, which says "different from when it went live". The holdout shows labels
    only, half and half or as the data set had them: people may send something else from the first
    day on, without anything having drifted; the baseline tells these two apart.

    Query: count of the version's predictions by `answer` and `photo_format`; by bin of
    `confidence`, `novelty`, `photo_width * photo_height` and `photo_bytes`.

    Args:
        period: What is compared.
        version: Which one; the live one if None.
    """
    model = _version(version)
    if model is None:
        return Drift(None, 0, (), has_baseline=False)
    baseline = Baseline.objects.filter(version=model).first()
    if baseline and baseline.until >= period.since:
        after = baseline.until + timedelta(microseconds=1)
        period = Period(min(after, period.until), period.until)
    scope = Scope(period, model.name)
    lately = _named(scope)
    photos = sum(lately["answer"].values())
    moved: list[Moved] = []
    if photos >= MIN_PHOTOS:
        on_holdout = _on_holdout(model)
        if baseline or len(on_holdout) > 1:
            lately |= {name: _text(bins) for name, bins in count_bins(scope, *_ORDERED).items()}
        moved += [
            _moved(name, HOLDOUT, before, lately[name])
            for name, before in on_holdout.items()
            if before and lately[name]
        ]
        if baseline:
            moved += [
                _moved(name, BASELINE, baseline.bins[name], lately[name])
                for name in (*_NAMED, *_ORDERED)
                if baseline.bins[name] and lately[name]
            ]
    return Drift(model.name, photos, tuple(moved), has_baseline=baseline is not None)


def _version(name: str | None) -> ModelVersion | None:
    versions = ModelVersion.objects.filter(pk=name) if name else ModelVersion.objects.live()
    return versions.first()


def _named(scope: Scope) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {name: {} for name in _NAMED}
    for values, (count, _) in count_answers(scope, *_NAMED).items():
        for name, value in zip(_NAMED, values, strict=True):
            counts[name][value] = counts[name].get(value, 0) + count
    return counts


def _text(bins: Mapping[int, int]) -> dict[str, int]:
    return {str(bin): count for bin, count in bins.items()}


def _on_holdout(version: ModelVersion) -> dict[str, dict[str, int]]:
    """Measure to value to count, as far as it is known."""
    found = Holdout.objects.filter(version=version).first()
    bins: dict[str, dict[str, int]] = found.bins if found else {}
    return {"answer": _answers_on_holdout(version), **bins}


def _answers_on_holdout(version: ModelVersion) -> dict[str, int]:
    """How often the version gave each answer on its holdout, from its card; empty without told.

    The card counts how many photos were told `unsure` and `neither`, and the most probable label of
    all photos; the labels share what was answered in that proportion.
    """
    told, confusion = version.scores.get("told"), version.scores.get("confusion")
    count = version.scores.get("count", 0)
    if not told or not confusion or not count:
        return {}
    named = {
        label: sum(row[label] for row in confusion.values()) / count for label in version.labels
    }
    shares = {label: told["answered"] * share for label, share in named.items()}
    shares |= {UNSURE: told["unsure"], NEITHER: told["neither"]}
    return {answer: round(share * count) for answer, share in shares.items()}


def _moved(
    measure: str, reference: str, before: Mapping[str, int], lately: Mapping[str, int]
) -> Moved:
    values = sorted(before.keys() | lately.keys(), key=_order(measure))
    expected = np.array([before.get(value, 0) for value in values])
    actual = np.array([lately.get(value, 0) for value in values])
    if measure in _ORDERED:
        group = even_groups(expected)
        expected = np.bincount(group, weights=expected).astype(int)
        actual = np.bincount(group, weights=actual).astype(int)
    photos = int(actual.sum())
    return Moved(
        measure=measure,
        reference=reference,
        index=float(population_stability_index(expected, actual)),
        limit=max(alarm_limit(expected, photos), SMALLEST_CHANGE),
        photos=photos,
        reference_photos=int(expected.sum()),
    )


def _order(measure: str) -> type[int] | type[str]:
    return int if measure in MEASURES else str
