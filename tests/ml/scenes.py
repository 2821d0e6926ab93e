"""Folders of made-up scenes, smooth as photos are, no two of which look alike."""

import hashlib

import numpy as np
from PIL import Image

from ml.examples import SPLITS, split_of
from tests.photos import encode

LABELS = ("dawn", "dusk")
_TINTS = {"dawn": (1.0, 0.8, 0.6), "dusk": (0.6, 0.8, 1.0)}


def scene(label, number, side=48):
    """Pixels of the `number`th scene of a label: lights and shadows at random, in its tint."""
    chance = np.random.default_rng([number, *label.encode()])
    coarse = Image.fromarray(chance.integers(0, 256, (7, 7), dtype=np.uint8))
    light = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), float)
    return (light[..., None] * _TINTS[label]).astype(np.uint8)


def scene_folder(root, at_least=20):
    """One sub-folder of PNGs per label, with photos in each split."""
    for label in LABELS:
        folder = root / label
        folder.mkdir(parents=True)
        found, number = dict.fromkeys(SPLITS, 0), 0
        while number < at_least or min(found.values()) < 2:
            data = encode(Image.fromarray(scene(label, number)), "PNG")
            (folder / f"{number:03}.png").write_bytes(data)
            found[split_of(hashlib.sha256(data).hexdigest())] += 1
            number += 1
    return root
