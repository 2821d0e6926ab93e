"""Ways to look at one photo: what a network is trained on beside the photo as it is."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from ml.photos import fit

# The commonest shape of a photo that lies. Photos squashed to a square get it back.
_STRETCH = 4 / 3
# Share of the crop's side that is seen from closer by. A network that was trained on random crops
# expects an animal larger than an uncropped photo shows it.
_CLOSER = 0.8


def _wider(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    stretched = Image.fromarray(pixels).resize(
        (round(width * _STRETCH), height), Image.Resampling.BICUBIC
    )
    return np.asarray(stretched)


def _closer(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    edge = max(1, round(min(height, width) * _CLOSER))
    top, left = (height - edge) // 2, (width - edge) // 2
    return pixels[top : top + edge, left : left + edge]


def _whole(pixels: np.ndarray) -> np.ndarray:
    edge = max(pixels.shape[:2])
    squashed = Image.fromarray(pixels).resize((edge, edge), Image.Resampling.BICUBIC)
    return np.asarray(squashed)


_VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "plain": lambda pixels: pixels,
    "wider": _wider,
    "closer": _closer,
    "whole": _whole,
}

PLAIN = "plain"
WIDER = "wider"
CLOSER = "closer"
WHOLE = "whole"
VIEWS = tuple(_VIEWS)

# Left, top, width and height, as shares of the photo's width and height.
Box = tuple[float, float, float, float]


def box_of(name: str, width: int, height: int) -> Box:
    """The part of a photo that a view shows.

    Args:
        name: One of `VIEWS`.
        width: Of the photo, in pixels.
        height: Likewise.
    """
    if name == WHOLE:
        return 0.0, 0.0, 1.0, 1.0
    stretched = width * _STRETCH if name == WIDER else width
    edge = min(stretched, height) * (_CLOSER if name == CLOSER else 1)
    across, down = edge / stretched, edge / height
    return (1 - across) / 2, (1 - down) / 2, across, down


def view(pixels: np.ndarray, name: str, side: int) -> np.ndarray:
    """One view of a photo, ready for a network.

    Args:
        pixels: `uint8`, shape `(h, w, 3)`.
        name: One of `VIEWS`: `plain`, as photos are answered; `wider`, stretched by 4:3 before the
            crop; `closer`, the middle of the crop; `whole`, nothing cropped but squashed.
        side: Side in pixels of what comes out.

    Returns:
        `uint8`, shape `(side, side, 3)`.

    Raises:
        ValueError: if there is no such view.
    """
    if name not in _VIEWS:
        raise ValueError(f"Views are {', '.join(_VIEWS)}. Received: {name!r}")
    return fit(_VIEWS[name](pixels), side)
