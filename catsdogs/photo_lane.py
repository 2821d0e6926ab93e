"""How long a photo would have to wait for its turn, by how long others took."""

from collections import Counter

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
        self._outstanding: Counter[str] = Counter()
        self._mean: dict[str, float] = {}
        self._seen: Counter[str] = Counter()
        self._flood_until = float("-inf")

    def expected_wait(self) -> float:
        """Seconds until a thread is free for one more."""
        if self._outstanding.total() < self._threads:
            return 0.0
        work = sum(
            number * self._mean.get(route, _FIRST_GUESS_SECONDS)
            for route, number in self._outstanding.items()
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

    def enter(self, route: str) -> None:
        self._outstanding[route] += 1

    def leave(self, route: str, seconds: float | None) -> None:
        """Note that one is done.

        Args:
            route: What it was, as given to `enter`.
            seconds: How long a thread had it in hand; None where it was not looked at.
        """
        self._outstanding[route] -= 1
        if seconds is None:
            return
        self._seen[route] += 1
        mean = self._mean.get(route, _FIRST_GUESS_SECONDS)
        share = max(_SHARE, 1 / (self._seen[route] + 1))
        self._mean[route] = mean + (seconds - mean) * share
