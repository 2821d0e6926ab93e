"""May a candidate go live? Arithmetic on the answers of two versions to the same photos.

A candidate is measured on what it must keep, the base's holdout, apart from what it should have
learnt, the feedback: mixed, a loss on the one would hide behind a gain on the other. Every number
is shown beside its limit, passed or not.

Source: Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
percentages", Psychometrika 12, 1947; in its exact form, a binomial test.
"""

import math
from dataclasses import dataclass

import numpy as np

from ml.exams import Exam, Marks
from ml.marked import gettext_noop
from ml.scores import expected_calibration_error
from ml.verdicts import Check, Verdict

# A loss counts as one if chance alone shows as much less often than this.
SIGNIFICANT = 0.05
# What may be lost on the base all the same, in shares of its photos; one photo always may.
MAX_LOST = 0.003
MAX_TOLD_LOST = 0.01
MAX_LOG_LOSS = 0.1  # of the live version's own, and …
MAX_LOG_LOSS_RISE = 0.002  # … in nats beside it
MAX_SLICE_LOST = 0.01
MAX_ECE_RISE = 0.005
MAX_NEITHER_RISE = 0.005
MAX_STRANGERS_RISE = 0.01
# Of the feedback's photos that get a label where the live version gave none, the share that has to
# be right: somebody who is told nothing is better off than somebody who is told nonsense.
MIN_NEWLY_RIGHT = 0.7
# By how many nats the log loss of feedback has to fall to count as a gain where as many answers
# were mended as broken. Photos that are known already cannot fall that far.
MIN_LOG_LOSS_GAIN = 0.05
MAX_SLOWER = 1.5
MAX_LOOKED_AGAIN_RISE = 0.05
MAX_LARGER = 1.1
MAX_BYTES = 40_000_000

# Words of more than one check.
_GAIN = gettext_noop("gain")
_AT_MOST = gettext_noop("at most %(limit)s")


@dataclass(frozen=True)
class Costs:
    """What a version costs to serve.

    Attributes:
        milliseconds: Median time of an answer.
        looked_again: Share of the base's photos that both networks look at.
        num_bytes: Size of the files it answers from.
    """

    milliseconds: float
    looked_again: float
    num_bytes: int


def judge(base: Exam, feedback: Exam, strangers: Exam, candidate: Costs, live: Costs) -> Verdict:
    """Judge a candidate.

    Args:
        base: On the base's holdout.
        feedback: On photos of the feedback that the candidate, or a stand-in fitted without them,
            was not fitted to.
        strangers: On photos of none of the labels; possibly none.
        candidate: What it costs.
        live: What the live version costs.
    """
    return Verdict(
        (
            *_keeps(base),
            *_slices(base),
            *_novelty(base, strangers),
            *_gains(feedback),
            *_costs(candidate, live),
        )
    )


def chance_of_loss(broken: int, mended: int) -> float:
    """How often chance alone breaks at least as many answers of those that changed.

    Args:
        broken: Answers that were right and are wrong now.
        mended: Answers that were wrong and are right now.

    Returns:
        The one-sided exact McNemar p-value, from 0 to 1.

    Source:
        Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
        percentages", Psychometrika 12, 1947; in its exact form, a binomial test.
    """
    changed = broken + mended
    # By logarithms: the binomial coefficients of thousands of photos have thousands of digits.
    whole = math.lgamma(changed + 1) - changed * math.log(2)
    tail = math.fsum(
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(changed - k + 1))
        for k in range(broken, changed + 1)
    )
    return min(1.0, tail)


def _keeps(base: Exam) -> list[Check]:
    """What the live version knows and the candidate must not forget."""
    new, old = base.of_candidate, base.of_live
    return [
        _pair_check(
            gettext_noop("base accuracy"),
            (new.right, old.right),
            MAX_LOST,
            gettext_noop(
                "%(new)s of %(photos)s answers on the base right, with the live version %(old)s: "
                "%(broken)s broken, %(mended)s mended (chance alone: %(chance)s)."
            ),
        ),
        _pair_check(
            gettext_noop("base told"),
            (new.told, old.told),
            MAX_TOLD_LOST,
            gettext_noop(
                "%(new)s of %(photos)s people on the base told the right label, with the live "
                "version %(old)s: %(broken)s broken, %(mended)s mended (chance alone: %(chance)s)."
            ),
        ),
        _log_loss(new, old),
        _calibration(new, old),
    ]


def _pair_check(
    name: str, marks: tuple[np.ndarray, np.ndarray], tolerance: float, words: str
) -> Check:
    """Passed within the tolerance, unless the loss is no chance and more than one photo."""
    new, old = marks
    broken, mended = int((old & ~new).sum()), int((new & ~old).sum())
    lost, chance = broken - mended, chance_of_loss(broken, mended)
    allowed = max(1.0, tolerance * len(new))
    return Check(
        name=name,
        passed=lost <= allowed and not (lost > allowed / 2 and chance < SIGNIFICANT),
        candidate=float(new.mean()),
        live=float(old.mean()),
        limit=gettext_noop(
            "at most %(allowed)s of %(photos)s photos lost, half of it beyond chance"
        )
        % {"allowed": f"{allowed:.0f}", "photos": len(new)},
        words=words
        % {
            "new": f"{new.mean():.2%}",
            "old": f"{old.mean():.2%}",
            "photos": len(new),
            "broken": broken,
            "mended": mended,
            "chance": f"{chance:.2f}",
        },
    )


def _log_loss(new: Marks, old: Marks) -> Check:
    mine, its = float(new.loss.mean()), float(old.loss.mean())
    limit = its * (1 + MAX_LOG_LOSS) + MAX_LOG_LOSS_RISE
    return Check(
        gettext_noop("base log loss"),
        mine <= limit,  # false for what is not a number
        mine,
        its,
        _AT_MOST % {"limit": f"{limit:.4f}"},
        gettext_noop("The log loss on the base is %(new)s, with the live version %(old)s.")
        % {"new": f"{mine:.4f}", "old": f"{its:.4f}"},
    )


def _calibration(new: Marks, old: Marks) -> Check:
    mine = expected_calibration_error(new.confidence, new.right)
    its = expected_calibration_error(old.confidence, old.right)
    limit = its + MAX_ECE_RISE + 1 / len(new.right)
    return Check(
        gettext_noop("calibration"),
        mine <= limit,
        mine,
        its,
        _AT_MOST % {"limit": f"{limit:.4f}"},
        gettext_noop("Confidence is off by %(new)s in the mean, with the live version %(old)s.")
        % {"new": f"{mine:.4f}", "old": f"{its:.4f}"},
    )


def _slices(base: Exam) -> list[Check]:
    """Every kind of photo, each within its tolerance.

    A slice fails only if it loses more than its tolerance and more than chance would take, were all
    slices looked at: with a dozen of them, one seems bad by chance more often than not.
    """
    checks = []
    for name, mask in base.slices.items():
        new, old = base.of_candidate.right[mask], base.of_live.right[mask]
        broken, mended = int((old & ~new).sum()), int((new & ~old).sum())
        allowed = max(1.0, MAX_SLICE_LOST * len(new))
        unlikely = chance_of_loss(broken, mended) < SIGNIFICANT / len(base.slices)
        lost = broken - mended
        checks.append(
            Check(
                gettext_noop("slice %(slice)s") % {"slice": name},
                lost <= allowed or not (unlikely or lost > 3 * allowed),
                float(new.mean()),
                float(old.mean()),
                gettext_noop(
                    "at most %(allowed)s of %(photos)s photos lost, or three times that by chance"
                )
                % {"allowed": f"{allowed:.0f}", "photos": len(new)},
                gettext_noop(
                    "%(new)s of the base's %(photos)s photos of %(slice)s right, with the live "
                    "version %(old)s: %(broken)s broken, %(mended)s mended."
                )
                % {
                    "new": f"{new.mean():.2%}",
                    "old": f"{old.mean():.2%}",
                    "photos": len(new),
                    "slice": name,
                    "broken": broken,
                    "mended": mended,
                },
            )
        )
    return checks


def _novelty(base: Exam, strangers: Exam) -> list[Check]:
    checks = [
        _share_check(
            gettext_noop("base neither"),
            base.of_candidate.neither,
            base.of_live.neither,
            MAX_NEITHER_RISE,
            gettext_noop(
                '%(new)s of %(photos)s photos of the base called "neither", with the live version '
                "%(old)s."
            ),
        )
    ]
    if len(strangers):
        checks.append(
            _share_check(
                gettext_noop("strangers answered"),
                strangers.of_candidate.answered,
                strangers.of_live.answered,
                MAX_STRANGERS_RISE,
                gettext_noop(
                    "%(new)s of %(photos)s photos of something else answered all the same, with "
                    "the live version %(old)s."
                ),
            )
        )
    return checks


def _share_check(name: str, new: np.ndarray, old: np.ndarray, rise: float, words: str) -> Check:
    more, allowed = int(new.sum()) - int(old.sum()), max(1.0, rise * len(new))
    return Check(
        name,
        more <= allowed,
        float(new.mean()),
        float(old.mean()),
        gettext_noop("at most %(allowed)s of %(photos)s photos more")
        % {"allowed": f"{allowed:.0f}", "photos": len(new)},
        words % {"new": f"{new.mean():.2%}", "old": f"{old.mean():.2%}", "photos": len(new)},
    )


def _gains(feedback: Exam) -> list[Check]:
    if not len(feedback):
        words = gettext_noop("No gain: there is no photo from feedback to measure one on.")
        limit = gettext_noop("more answers mended than broken")
        return [Check(_GAIN, False, None, None, limit, words)]
    new, old = feedback.of_candidate, feedback.of_live
    return [_gain(new, old), _newly_answered(new, old)]


def _gain(new: Marks, old: Marks) -> Check:
    """More of what people said is now said by the version too, or at least nearly."""
    broken = int((old.told & ~new.told).sum()) + int((old.right & ~new.right).sum())
    mended = int((new.told & ~old.told).sum()) + int((new.right & ~old.right).sum())
    known = np.isfinite(old.loss)
    mine, its = (float(marks.loss[known].mean()) if known.any() else 0.0 for marks in (new, old))
    nearer = broken == mended and mine <= its - MIN_LOG_LOSS_GAIN
    passed = mended > broken or nearer
    found = gettext_noop(
        "%(new)s of %(photos)s photos from feedback are told what people said, with the live "
        "version %(old)s (%(mended)s changes for the better, %(broken)s for the worse; log loss "
        "%(before)s → %(after)s)."
    ) % {
        "new": f"{new.told.mean():.1%}",
        "old": f"{old.told.mean():.1%}",
        "photos": len(new.told),
        "mended": mended,
        "broken": broken,
        "before": f"{its:.3f}",
        "after": f"{mine:.3f}",
    }
    return Check(
        _GAIN,
        passed,
        float(new.told.mean()),
        float(old.told.mean()),
        gettext_noop("more changes for the better than for the worse"),
        found if passed else gettext_noop("No gain: %(found)s") % {"found": found},
    )


def _newly_answered(new: Marks, old: Marks) -> Check:
    """Of the photos that get a label where the live version gave none, how many get the right one.

    How many may be wrong is rounded up: where there are a few, the limit is generous.
    """
    newly = new.answered & ~old.answered
    right, number = int((newly & new.told).sum()), int(newly.sum())
    wrong = number - right
    too_many = wrong > math.ceil((1 - MIN_NEWLY_RIGHT) * number)
    share = right / number if number else None
    return Check(
        gettext_noop("newly answered"),
        not too_many,
        share,
        None,
        gettext_noop("at least %(share)s right") % {"share": f"{MIN_NEWLY_RIGHT:.0%}"},
        gettext_noop(
            "%(photos)s photos from feedback get a label where the live version gave none: "
            "%(right)s the right one, %(wrong)s a wrong one."
        )
        % {"photos": number, "right": right, "wrong": wrong},
    )


def _costs(new: Costs, old: Costs) -> list[Check]:
    slower, size = old.milliseconds * MAX_SLOWER, min(old.num_bytes * MAX_LARGER, MAX_BYTES)
    again = old.looked_again + MAX_LOOKED_AGAIN_RISE
    return [
        Check(
            gettext_noop("latency"),
            new.milliseconds <= slower,
            new.milliseconds,
            old.milliseconds,
            gettext_noop("at most %(limit)s ms") % {"limit": f"{slower:.1f}"},
            gettext_noop("An answer takes %(new)s ms, the live version's %(old)s ms.")
            % {"new": f"{new.milliseconds:.1f}", "old": f"{old.milliseconds:.1f}"},
        ),
        Check(
            gettext_noop("looked at again"),
            new.looked_again <= again,
            new.looked_again,
            old.looked_again,
            gettext_noop("at most %(share)s of the base's photos") % {"share": f"{again:.1%}"},
            gettext_noop(
                "%(new)s of the base's photos are looked at by both networks, with the live "
                "version %(old)s."
            )
            % {"new": f"{new.looked_again:.1%}", "old": f"{old.looked_again:.1%}"},
        ),
        Check(
            gettext_noop("size"),
            new.num_bytes <= size,
            float(new.num_bytes),
            float(old.num_bytes),
            gettext_noop("at most %(limit)s MB") % {"limit": f"{size / 1e6:.1f}"},
            gettext_noop("Its folder has %(new)s MB, the live version's %(old)s MB.")
            % {"new": f"{new.num_bytes / 1e6:.1f}", "old": f"{old.num_bytes / 1e6:.1f}"},
        ),
    ]
