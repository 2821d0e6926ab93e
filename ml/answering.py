"""A version's answers from features alone: what the engine would say, without asking a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml.base import Seen
from ml.heads import Head
from ml.inference import Answer, answer_from, is_hard
from ml.novelty import NOVELTY, NoveltyMeasure, from_bytes
from ml.registry import NETWORK, SECOND, Card, VersionError
from ml.surgery import SurgeryError, read_head


@dataclass(frozen=True)
class Mind:
    """All of a version that comes behind its frozen networks.

    Attributes:
        card: With labels, temperatures and thresholds.
        first: Head of the network that every photo is shown to.
        second: Head of the one for a second look; None where there is none.
        novelty: What `neither` goes by; None where it is never said.
    """

    card: Card
    first: Head
    second: Head | None
    novelty: NoveltyMeasure | None

    def closer(self, seen: Seen, logits: np.ndarray) -> np.ndarray:
        """The second network's logits, the mean over its looks, shape `(n, labels)`.

        Not a number where a photo is not hard, or where no features of a second look are kept:
        the first look's answer then stands.
        """
        closer = np.full_like(logits, np.nan)
        if self.second is None or seen.looks is None:
            return closer
        hard = np.flatnonzero(is_hard(logits, self.card))
        closer[hard] = self.second.logits(seen.looks[hard]).mean(axis=1)
        return closer

    def answers(self, seen: Seen, novelties: np.ndarray | None = None) -> list[Answer]:
        """What the version says of photos.

        Args:
            seen: The photos.
            novelties: Of each, where they are known already, shape `(n,)`.

        Raises:
            FloatingPointError: if a logit is not a finite number.
        """
        if not len(seen):
            return []
        logits = self.first.logits(seen.plain)
        strange: Sequence[float | None] = [None] * len(seen)
        if self.novelty is not None:
            found = self.novelty(seen.plain) if novelties is None else novelties
            strange = found.tolist()
        rows = zip(logits, strange, self.closer(seen, logits), strict=True)
        return [
            answer_from(row, self.card, novelty, None if np.isnan(closer).any() else closer)
            for row, novelty, closer in rows
        ]

    def share_looked_at_again(self, seen: Seen) -> float:
        """Share of photos that count as hard, from 0 to 1."""
        return float(is_hard(self.first.logits(seen.plain), self.card).mean())


def mind_of(folder: Path, card: Card) -> Mind:
    """The mind of a version, from what is in its folder.

    Args:
        folder: The version's, verified already.
        card: Its card.

    Raises:
        VersionError: if a file is not built as ours are.
    """
    try:
        first = read_head((folder / NETWORK).read_bytes())
        second = read_head((folder / SECOND).read_bytes()) if card.second else None
        measure = None
        if NOVELTY in card.files:
            measure = from_bytes((folder / NOVELTY).read_bytes())
    except (SurgeryError, ValueError, OSError) as error:
        raise VersionError(f"Version {card.version}: {error}") from error
    return Mind(card, first, second, measure)
