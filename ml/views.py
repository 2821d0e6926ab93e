"""Ways to look at one photo: what a network is trained on beside the photo as it is."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from ml.photos import fit

# The commonest shape of a photo that lies. Photos squashed to a square get it back.
_STRETCH = 4 / 3


def _wider(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    stretched = Image.fromarray(pixels).resize(
        (round(width * _STRETCH), height), Image.Resampling.BICUBIC
    )
    return np.asarray(stretched)


_VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "plain": lambda pixels: pixels,
    "wider": _wider,
}

PLAIN = "plain"
WIDER = "wider"
VIEWS = tuple(_VIEWS)


def view(pixels: np.ndarray, name: str, side: int) -> np.ndarray:
    """One view of a photo, ready for a network.

    Args:
        pixels: `uint8`, shape `(h, w, 3)`.
        name: One of `VIEWS`: `plain`, as photos are answered, or `wider`, stretched by 4:3 before
            the crop.
        side: Side in pixels of what comes out.

    Returns:
        `uint8`, shape `(side, side, 3)`.

    Raises:
        ValueError: if there is no such view.
    """
    if name not in _VIEWS:
        raise ValueError(f"Views are {', '.join(_VIEWS)}. Received: {name!r}")
    return fit(_VIEWS[name](pixels), side)
