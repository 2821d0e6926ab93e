"""How a second network should look at hard photos, by cross-validation on the train split alone.

    python -m benchmarks.second_looks [--data DIR] [--cache DIR]

Each photo is asked about by heads that never saw it, five-fold; networks compute in 8 bits. Neither
calibration split nor holdout has a say, so both stay as good a test as they were.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ml.calibration import fit_temperature
from ml.examples import Example, in_split, labels_of
from ml.features import FeatureCache, features_of
from ml.heads import fit_head
from ml.inference import softmax
from ml.learning import learn_from_imagenet
from ml.sources import read_source
from ml.training import SECOND_ARCHITECTURE, TrainConfig
from ml.views import CLOSER, WHOLE

_FOLDS = 5
_SHARES = (0.085, 0.15, 0.3)
_CONFIG = TrainConfig()


def main() -> None:
    """Measure and print the table."""
    arguments = _arguments()
    examples = read_source(arguments.data).examples
    targets, first = _asked(examples, _CONFIG.architecture, _CONFIG.views, arguments.cache)
    _, before = _asked(examples, "efficientnet-lite2", (CLOSER, WHOLE), arguments.cache)
    _, peaks = _asked(examples, SECOND_ARCHITECTURE, _CONFIG.second_views, arguments.cache)
    plain, (closer, whole) = first[0], peaks
    ways = {
        "efficientnet-lite2: closer and whole": (plain + before[0] + before[1]) / 3,
        f"{SECOND_ARCHITECTURE}: whole, counting twice": (plain + 2 * whole) / 3,
        f"{SECOND_ARCHITECTURE}: whole, counting once": (plain + whole) / 2,
        f"{SECOND_ARCHITECTURE}: closer and whole": (plain + closer + whole) / 3,
    }
    print("| the second look | share of photos | errors | log loss |\n|---|---|---|---|")
    print(_row("none", 0.0, plain, plain, targets))
    for name, both in ways.items():
        for share in _SHARES:
            print(_row(name, share, plain, both, targets))
    wrong = [both.argmax(axis=1) != targets for both in list(ways.values())[:2]]
    alone = [int((wrong[i] & ~wrong[1 - i]).sum()) for i in (0, 1)]
    print(
        f"Asked about all photos, the first way alone is wrong on {alone[0]}, the next {alone[1]}."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    data = Path(os.environ.get("CATSDOGS_DATA", "data/raw"))
    parser.add_argument("--data", type=Path, default=data, help="default: %(default)s")
    parser.add_argument("--cache", type=Path, default=Path("var/features"), help="kept features")
    return parser.parse_args()


def _asked(
    examples: Sequence[Example], name: str, views: Sequence[str], cache: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Targets of the train split, shape `(n,)`, and logits, shape `(views, n, labels)`."""
    learnt = learn_from_imagenet(
        examples,
        name,
        cache,
        views=views,
        l2=_CONFIG.l2,
        seed=_CONFIG.seed,
        max_iterations=_CONFIG.max_iterations,
        int8=True,
    )
    seen = features_of(in_split(examples, "train"), learnt.backbone, views, FeatureCache(cache))
    labels = labels_of(examples)
    targets = np.array([labels.index(example.label) for example in seen.examples])
    fold = np.random.default_rng(1).integers(0, _FOLDS, len(targets))
    logits = np.zeros((len(views), len(targets), len(labels)))
    for number in range(_FOLDS):
        inside, outside = fold != number, fold == number
        rows = seen.vectors[inside].reshape(-1, seen.vectors.shape[-1])
        head = fit_head(rows, np.repeat(targets[inside], len(views)), len(labels), l2=_CONFIG.l2)
        logits[:, outside] = np.moveaxis(head.logits(seen.vectors[outside]), 1, 0)
    return targets, logits


def _row(name: str, share: float, plain: np.ndarray, both: np.ndarray, targets: np.ndarray) -> str:
    """A line of the table: the least sure photos get both networks' answer."""
    log_odds = plain / fit_temperature(plain, targets)
    confidence = softmax(log_odds).max(axis=1)
    hard = confidence < np.quantile(confidence, share)
    if hard.any():
        log_odds[hard] = both[hard] / fit_temperature(both[hard], targets[hard])
    probabilities = softmax(log_odds)
    errors = int((probabilities.argmax(axis=1) != targets).sum())
    loss = -np.log(probabilities[np.arange(len(targets)), targets]).mean()
    return f"| {name} | {share:.1%} | {errors} | {loss:.4f} |"


if __name__ == "__main__":
    main()
