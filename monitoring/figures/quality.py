"""How good the answers are: by what people say of them, and without asking anybody."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ml.inference import NEITHER, UNSURE
from ml.scores import NUM_BINS, wilson_interval
from monitoring.counting import Totals, count_answers, count_opinions, count_with_feedback
from monitoring.periods import Period
from monitoring.reach import Bucket, Scope


@dataclass(frozen=True)
class Share:
    """So many of so many; of none, there is neither a share nor an interval."""

    part: int
    count: int

    @property
    def share(self) -> float | None:
        return self.part / self.count if self.count else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the share, by Wilson."""
        return wilson_interval(self.part, self.count) if self.count else None


@dataclass(frozen=True)
class Agreement:
    """How much of the feedback says that we were right.

    Attributes:
        overall: All feedback.
        by_answer: What we had answered, a label, `unsure` or `neither`, to its share.
        by_version: Version to its share.
    """

    overall: Share
    by_answer: dict[str, Share]
    by_version: dict[str, Share]


@dataclass(frozen=True)
class AgreementInterval:
    begin: datetime
    agreement: Share


@dataclass(frozen=True)
class FeedbackShare:
    """How many predictions have feedback: the share of what we answered that anybody judged."""

    predictions: Share


@dataclass(frozen=True)
class EstimatedAccuracy:
    """How often answers are right by their own confidence, and by those who judged some of them.

    Attributes:
        count: Predictions whose answer is a label.
        estimate: The mean of their calibrated confidence.
        judged: Feedback on such predictions, and how much of it agrees.
        estimate_of_judged: The mean confidence of those judged: where this is far above
            `judged.share`, either the confidence is too high or the mistakes were judged more
            often than the rest.
    """

    count: int
    estimate: float | None
    judged: Share
    estimate_of_judged: float | None


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers about equally sure: how sure, and how often they were right."""

    low: float
    high: float
    mean_confidence: float
    right: Share


@dataclass(frozen=True)
class Calibration:
    """Whether answers are right as often as they say.

    Attributes:
        bins: Those that hold something, in order.
        count: Feedback in all of them.
        error: The expected calibration error over them.
    """

    bins: tuple[ReliabilityBin, ...]
    count: int
    error: float | None


def agreement(
    period: Period, version: str | None = None, *, person: str | None = None
) -> Agreement:
    """Agreement from feedback, overall, by our answer, and by version.

    People tell us of mistakes more often than of right answers, so this is lower than the accuracy;
    its changes tell more than its height.

    Query: count of feedback by `agrees`, the prediction's `answer` and its version.
    """
    counts = count_opinions(Scope(period, version, person), "answer", "version_id", "agrees")
    return Agreement(
        overall=_share((agrees, n) for (_, _, agrees), (n, _) in counts.items()),
        by_answer=_shares((answer, agrees, n) for (answer, _, agrees), (n, _) in counts.items()),
        by_version=_shares((name, agrees, n) for (_, name, agrees), (n, _) in counts.items()),
    )


def agreement_over_time(
    period: Period, version: str | None = None
) -> tuple[AgreementInterval, ...]:
    """Agreement for each interval of `period.step`, by when the predictions were made.

    Query: count of feedback by interval and `agrees`.
    """
    counts = count_opinions(Scope(period, version), "bucket", "agrees", step=period.step)
    shares = _shares((str(bucket), agrees, n) for (bucket, agrees), (n, _) in counts.items())
    found = {Bucket.beginning(int(bucket)): share for bucket, share in shares.items()}
    return tuple(
        AgreementInterval(begin, found.get(begin, Share(0, 0))) for begin in period.intervals
    )


def feedback_share(period: Period, version: str | None = None) -> FeedbackShare:
    """How many predictions have feedback, of however many people.

    Query: count of predictions, and of those for which feedback exists.
    """
    return FeedbackShare(Share(*count_with_feedback(Scope(period, version))))


def estimated_accuracy(period: Period, version: str | None = None) -> EstimatedAccuracy:
    """Accuracy without labels: the mean calibrated confidence of the photos that got a label.

    It holds as long as the calibration does, which a strange new kind of photo can break: hence the
    check against feedback beside it.

    Query: count and sum of `confidence` of predictions by `answer`; the same of feedback, by
    `answer` and `agrees`.

    Source:
        The "average confidence" that is compared in S. Garg et al., "Leveraging Unlabeled Data to
        Predict Out-of-Distribution Performance", ICLR 2022; and D. Guillory et al., "Predicting
        with Confidence on Unseen Distributions", ICCV 2021.
    """
    scope = Scope(period, version)
    answered = [
        totals for (answer,), totals in count_answers(scope, "answer").items() if _is_label(answer)
    ]
    judged = {
        key: totals
        for key, totals in count_opinions(scope, "answer", "agrees").items()
        if _is_label(key[0])
    }
    return EstimatedAccuracy(
        count=sum(totals.number for totals in answered),
        estimate=_mean_confidence(answered),
        judged=_share((agrees, n) for (_, agrees), (n, _) in judged.items()),
        estimate_of_judged=_mean_confidence(judged.values()),
    )


def calibration(period: Period, version: str | None = None) -> Calibration:
    """How sure answers are against how often feedback says that they were right.

    Those answered `neither` are left out: there feedback judges the novelty, not the label.

    Mind that feedback is given mostly for mistakes: bins look worse than they are, and the surer
    the answer, the stronger that pull. The version's card has the same of its holdout: compare.

    Query: count of feedback and sum of `confidence`, by bin of `confidence` and `agrees`.
    """
    bins: dict[int, dict[bool, Totals]] = defaultdict(dict)
    counts = count_opinions(Scope(period, version), "answer", "bin", "agrees")
    for (answer, bin, agrees), totals in counts.items():
        if answer != NEITHER:
            bins[bin][agrees] = bins[bin].get(agrees, Totals()).plus(*totals)
    found = tuple(_reliability(bin, bins[bin]) for bin in sorted(bins))
    count = sum(each.right.count for each in found)
    gaps = (abs(each.mean_confidence * each.right.count - each.right.part) for each in found)
    return Calibration(found, count, sum(gaps) / count if count else None)


def _reliability(bin: int, by_agrees: dict[bool, Totals]) -> ReliabilityBin:
    mean = _mean_confidence(by_agrees.values())
    assert mean is not None  # noqa: S101  a bin is there because something is in it
    return ReliabilityBin(
        low=bin / NUM_BINS,
        high=(bin + 1) / NUM_BINS,
        mean_confidence=mean,
        right=_share((agrees, totals.number) for agrees, totals in by_agrees.items()),
    )


def _is_label(answer: str) -> bool:
    return answer not in (UNSURE, NEITHER)


def _mean_confidence(totals: Iterable[Totals]) -> float | None:
    totals = list(totals)
    count = sum(each.number for each in totals)
    return sum(each.confidence_sum for each in totals) / count if count else None


def _share(counts: Iterable[tuple[bool, int]]) -> Share:
    counts = list(counts)
    return Share(sum(n for agrees, n in counts if agrees), sum(n for _, n in counts))


def _shares(counts: Iterable[tuple[str, bool, int]]) -> dict[str, Share]:
    split: dict[str, list[tuple[bool, int]]] = defaultdict(list)
    for key, agrees, count in counts:
        split[key].append((agrees, count))
    return {key: _share(split[key]) for key in sorted(split)}
