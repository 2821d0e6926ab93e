"""The second look: a larger network, asked about the photos that the first one is not sure of.

On most photos two networks agree, so that the larger one need see only a few of them: nearly all of
its accuracy, for little of its time.

Source: P. Viola, M. Jones, "Robust Real-Time Face Detection", IJCV 57, 2004, section 4 (cascades).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ml.calibration import MIN_PHOTOS, fit_temperature
from ml.examples import Example
from ml.features import FeatureCache, features_of
from ml.inference import is_hard, mean_of_both, softmax
from ml.learning import Learnt
from ml.registry import Card, SecondLook


@dataclass(frozen=True)
class SecondNetwork:
    """The network of a second look.

    Attributes:
        learnt: The network.
        looks: The views that it is shown, by their names in `ml.views`.
        weight: How much it counts, where the first network counts 1.
        cache: Where its features are kept between runs.
    """

    learnt: Learnt
    looks: tuple[str, ...]
    weight: float
    cache: Path

    def look(self, examples: Sequence[Example]) -> np.ndarray:
        """Its logits for photos, the mean over its looks, shape `(n, labels)`."""
        seen = features_of(examples, self.learnt.backbone, self.looks, FeatureCache(self.cache))
        logits = self.learnt.head.logits(seen.vectors)  # (n, looks, labels)
        return np.asarray(logits.mean(axis=1))

    def closer(self, examples: Sequence[Example], logits: np.ndarray, card: Card) -> np.ndarray:
        """What it says of the hard ones among some photos.

        Args:
            examples: The photos.
            logits: The first network's for them, shape `(n, labels)`.
            card: With the second look in it, which says what is hard.

        Returns:
            Its logits, shape `(n, labels)`; not a number where a photo is not hard.
        """
        closer = np.full_like(logits, np.nan)
        hard = np.flatnonzero(is_hard(logits, card))
        if len(hard):
            closer[hard] = self.look([examples[int(i)] for i in hard])
        return closer


def add_second_look(
    card: Card,
    second: SecondNetwork,
    examples: Sequence[Example],
    logits: np.ndarray,
    targets: np.ndarray,
    share: float,
) -> Card:
    """Decide on the calibration split which photos to look at again, and how sure to be then.

    Args:
        card: With the first network's temperature.
        second: The network to ask.
        examples: Photos of the calibration split.
        logits: The first network's for them, shape `(n, labels)`.
        targets: Index of each one's label, shape `(n,)`.
        share: Of the photos that are to be looked at again.
    """
    confidence = softmax(logits / card.temperature).max(axis=1)
    look = SecondLook(
        architecture=second.learnt.name,
        side=second.learnt.backbone.side,
        below=float(np.quantile(confidence, share)),
        temperature=card.temperature,
        looks=second.looks,
        weight=second.weight,
    )
    card = replace(card, second=look)
    hard = is_hard(logits, card)
    if hard.sum() < MIN_PHOTOS:
        return card
    mean = mean_of_both(logits, second.closer(examples, logits, card), look)[hard]
    return replace(card, second=replace(look, temperature=fit_temperature(mean, targets[hard])))
