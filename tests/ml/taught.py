"""Drawn photos to teach a version, and whether it learnt them."""

import hashlib

import numpy as np
from PIL import Image

from ml.examples import Example
from ml.photos import decode_photo
from tests.ml.drawn import draw
from tests.photos import encode


def drawn_examples(folder, labels, kinds=("rings", "stripes"), start=1000, number=20):
    """Drawings that no version has learnt from, under labels of one's choice."""
    folder.mkdir(parents=True, exist_ok=True)
    examples = []
    for kind, label in zip(kinds, labels, strict=True):
        for i in range(start, start + number):
            data = encode(Image.fromarray(draw(kind, i)), "PNG")
            sha256 = hashlib.sha256(data).hexdigest()
            path = folder / sha256
            path.write_bytes(data)
            examples.append(Example(path, label, sha256))
    return examples


def told_right(engine, examples):
    """Share of photos that an engine gives their label."""
    right = [
        engine.predict(decode_photo(e.path.read_bytes()).pixels).label == e.label for e in examples
    ]
    return float(np.mean(right))
