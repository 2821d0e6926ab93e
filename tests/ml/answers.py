"""Answers and engines for tests of evaluations."""

from pathlib import Path

import numpy as np

from ml.evaluation import score
from ml.examples import Example
from ml.inference import Answer, answer_from
from ml.slices import Traits
from tests.make import make_card

LABELS = ("cat", "dog")


def make_examples(*labels):
    return [Example(Path(f"{i}.jpg"), label, f"{i:064x}") for i, label in enumerate(labels)]


def make_answer(cat, answer=None, novelty=None):
    """An answer that gives "cat" this probability."""
    ranked = {"cat": cat, "dog": 1 - cat} if cat > 0.5 else {"dog": 1 - cat, "cat": cat}
    return Answer(answer or next(iter(ranked)), ranked, novelty)


def make_evaluation(num_photos=200, labels=LABELS, seed=0, novelty=True):
    """Scores of answers at random, right more often than not."""
    chance = np.random.default_rng(seed)
    targets = chance.integers(0, len(labels), num_photos)
    logits = chance.normal(0, 1, (num_photos, len(labels)))
    logits[np.arange(num_photos), targets] += 3
    card = make_card(labels=labels, unsure_below=0.7)
    novelties = chance.uniform(0, 0.6, num_photos) if novelty else [None] * num_photos
    answers = [answer_from(row, card, each) for row, each in zip(logits, novelties, strict=True)]
    traits = [
        Traits(int(width), 200, *map(float, seen))
        for width, seen in zip(
            chance.choice([150, 200, 800], num_photos),
            chance.uniform((0, 0), (255, 1000), (num_photos, 2)),
            strict=True,
        )
    ]
    return score(make_examples(*(labels[i] for i in targets)), answers, traits, labels)


class LookingEngine:
    """Says "cat" of photos whose upper half is the brighter one: it knows which way is up."""

    def __init__(self, **card):
        self.card = make_card(**card)

    def predict(self, pixels):
        middle = len(pixels) // 2
        surplus = pixels[:middle].mean() - pixels[-middle:].mean()
        return answer_from(np.array([surplus, 0], np.float32) / 10, self.card)
