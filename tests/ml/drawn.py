"""Folders of drawn photos: rings, stripes and checks, told apart by any backbone."""

import hashlib

import numpy as np
from PIL import Image

from ml.examples import SPLITS, split_of
from tests.photos import encode

SIDE = 48


def draw(kind, number):
    """Pixels of the `number`th drawing of a kind; no two are alike."""
    chance = np.random.default_rng([number, *kind.encode()])
    y, x = np.mgrid[:SIDE, :SIDE] - chance.uniform(16, 32, (2, 1, 1))
    wave = {
        "rings": np.hypot(x, y),
        "stripes": x + 0 * y,
        "checks": 8 * np.sign(np.sin(x / 3) * np.sin(y / 3)),
    }[kind]
    light = 0.5 + 0.5 * np.sin(wave / chance.uniform(1.5, 2))
    colour = chance.uniform(120, 255, 3)
    return (
        (light[..., None] * colour + chance.uniform(0, 20, (SIDE, SIDE, 3)))
        .clip(0, 255)
        .astype(np.uint8)
    )


def draw_folder(root, kinds=("rings", "stripes"), at_least=20, per_split=2):
    """One sub-folder of PNGs per kind, with enough photos in each split."""
    for kind in kinds:
        folder = root / kind
        folder.mkdir(parents=True)
        found, number = dict.fromkeys(SPLITS, 0), 0
        while number < at_least or min(found.values()) < per_split:
            data = encode(Image.fromarray(draw(kind, number)), "PNG")
            (folder / f"{number:03}.png").write_bytes(data)
            found[split_of(hashlib.sha256(data).hexdigest())] += 1
            number += 1
    return root
