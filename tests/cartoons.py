"""Cartoon cats and dogs, drawn by code: a style of photo that the version that ships never met."""

import numpy as np
from PIL import Image, ImageDraw

_COLOURS = ((90, 90, 100), (200, 140, 70), (240, 230, 220), (120, 80, 50), (60, 50, 60))


def cartoon(label, seed, side=320):
    """A cartoon's pixels, `uint8`, shape `(side, side, 3)`; another seed draws another animal."""
    chance = np.random.default_rng([seed, label == "cat"])
    paper = tuple(int(c) for c in chance.integers(120, 256, 3))
    image = Image.new("RGB", (side, side), paper)
    draw = ImageDraw.Draw(image)
    x, y = side / 2 + chance.uniform(-0.08, 0.08, 2) * side
    size = side * chance.uniform(0.24, 0.34)
    fur = _COLOURS[chance.integers(len(_COLOURS))]
    ears = _cat_ears if label == "cat" else _dog_ears
    ears(draw, x, y, size, fur)
    _disc(draw, x, y, size, size * chance.uniform(0.85, 1.0), fur)
    for side_of_face in (-1, 1):
        _disc(
            draw, x + side_of_face * size * 0.38, y - size * 0.15, size * 0.13, size * 0.16, "white"
        )
        _disc(
            draw, x + side_of_face * size * 0.38, y - size * 0.13, size * 0.07, size * 0.1, "black"
        )
    muzzle = _cat_muzzle if label == "cat" else _dog_muzzle
    muzzle(draw, x, y, size)
    noise = chance.normal(0, chance.uniform(1, 6), (side, side, 3))
    return np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)


def _disc(draw, x, y, width, height, colour):
    draw.ellipse((x - width, y - height, x + width, y + height), fill=colour)


def _cat_ears(draw, x, y, size, fur):
    for turn in (-1, 1):
        tip = (x + turn * size * 0.95, y - size * 1.35)
        draw.polygon([(x + turn * size * 0.2, y - size * 0.7), tip, (x + turn * size, y)], fill=fur)


def _dog_ears(draw, x, y, size, fur):
    for turn in (-1, 1):
        darker = tuple(int(c * 0.6) for c in fur)
        _disc(draw, x + turn * size * 1.02, y + size * 0.1, size * 0.3, size * 0.75, darker)


def _cat_muzzle(draw, x, y, size):
    draw.polygon(
        [(x - size * 0.1, y + size * 0.2), (x + size * 0.1, y + size * 0.2), (x, y + size * 0.32)],
        fill="pink",
    )
    for turn in (-1, 1):
        for rise in (-0.12, 0.0, 0.12):
            start = (x + turn * size * 0.2, y + size * 0.35)
            draw.line(
                [start, (x + turn * size * 1.1, y + size * (0.35 + rise))], fill="black", width=2
            )


def _dog_muzzle(draw, x, y, size):
    _disc(draw, x, y + size * 0.45, size * 0.42, size * 0.34, (235, 220, 200))
    _disc(draw, x, y + size * 0.28, size * 0.16, size * 0.12, "black")
    _disc(draw, x, y + size * 0.72, size * 0.13, size * 0.2, (220, 90, 100))
