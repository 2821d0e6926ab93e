"""What a rule's own arithmetic finds, and when a share is surely beyond a limit."""

from typing import NamedTuple

from monitoring.figures import Share


class Measured(NamedTuple):
    """What was measured, in words and as a number; how many photos, where that means something.

    The words are written when they are read: see `monitoring.saying.later`.
    """

    words: str
    value: float
    limit: float
    photos: int | None = None


def is_above(share: Share, limit: float) -> bool:
    """Whether all of its 95 % interval is."""
    return share.interval is not None and share.interval[0] > limit


def is_below(share: Share, limit: float) -> bool:
    """Whether all of its 95 % interval is."""
    return share.interval is not None and share.interval[1] < limit
