"""How long a photo would have to wait for its turn, by how long others took."""

from collections import Counter
from collections.abc import Hashable

# A photo's share in the running mean: some thirty of them are remembered.
_SHARE = 1 / 16
# Before any has been answered, and among the first ones: those may be slow on a cold machine.
_FIRST_GUESS_SECONDS = 0.05
# A burst may fill the lane. While more comes than can be answered, a long queue would only make
# everybody late: for so long after the last one was turned away, it is kept to this share.
_FLOOD_SECONDS = 5.0
_FLOOD_SHARE = 1 / 8


class PhotoLane:
    """The photos that wait and those that threads have in hand. For one thread alone.

    Args:
        threads: How many have a photo in hand at once.
        max_wait: Seconds that a photo may be expected to wait, and still come in.
    """

    def __init__(self, threads: int, max_wait: float) -> None:
        self._threads = threads
        self._max_wait = max_wait
        self._outstanding: Counter[Hashable] = Counter()
        self._mean: dict[Hashable, float] = {}
        self._seen: Counter[Hashable] = Counter()
        self._flood_until = float("-inf")

    def expected_wait(self) -> float:
        """Seconds until a thread is free for one more."""
        if self._outstanding.total() < self._threads:
            return 0.0
        work = sum(
            number * self._mean.get(kind, _FIRST_GUESS_SECONDS)
            for kind, number in self._outstanding.items()
        )
        return work / self._threads

    def has_room(self, now: float) -> bool:
        """Whether one more may come in.

        Args:
            now: The time, in seconds of a monotonic clock.
        """
        share = _FLOOD_SHARE if now < self._flood_until else 1.0
        if self.expected_wait() <= self._max_wait * share:
            return True
        self._flood_until = now + _FLOOD_SECONDS
        return False

    def enter(self, kind: Hashable) -> None:
        """Note that one is let in.

        Args:
            kind: What it is, as far as it tells how long it may take.
        """
        self._outstanding[kind] += 1

    def leave(self, kind: Hashable, seconds: float | None) -> None:
        """Note that one is done.

        Args:
            kind: As given to `enter`.
            seconds: How long a thread had it in hand; None where it was not looked at.
        """
        self._outstanding[kind] -= 1
        if not self._outstanding[kind]:
            del self._outstanding[kind]  # in a flood, what is there is summed up for each photo
        if seconds is None:
            return
        self._seen[kind] += 1
        mean = self._mean.get(kind, _FIRST_GUESS_SECONDS)
        share = max(_SHARE, 1 / (self._seen[kind] + 1))
        self._mean[kind] = mean + (seconds - mean) * share
