"""Versions that can be refitted, drawn photos to teach them, and answers to judge by."""

import hashlib

import numpy as np
from PIL import Image

from ml.examples import Example
from tests.ml.drawn import draw
from tests.photos import encode


def upside_down(pixels):
    """A style of photo: seen as a negative, which the drawings a version learnt from are not."""
    return 255 - pixels


def drawn_examples(folder, labels, kinds=("rings", "stripes"), start=1000, number=20, style=None):
    """Drawings that no version has learnt from, under labels of one's choice."""
    folder.mkdir(parents=True, exist_ok=True)
    examples = []
    for kind, label in zip(kinds, labels, strict=True):
        for i in range(start, start + number):
            pixels = draw(kind, i)
            data = encode(Image.fromarray(style(pixels) if style else pixels), "PNG")
            sha256 = hashlib.sha256(data).hexdigest()
            path = folder / sha256
            path.write_bytes(data)
            examples.append(Example(path, label, sha256))
    return examples


def told_right(engine, examples):
    """Share of photos that an engine gives their label."""
    from ml.photos import decode_photo

    right = [
        engine.predict(decode_photo(e.path.read_bytes()).pixels).label == e.label for e in examples
    ]
    return float(np.mean(right))
