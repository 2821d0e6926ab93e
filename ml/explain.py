"""Which places in a photo spoke for a label: from the maps behind an answer, without TensorFlow.

Our networks end in a mean over places and a linear head, so each place has logits of its own whose
mean is the answer (`ml.spatial`). Nothing is estimated: the map is the answer, before it is summed.

Source: B. Zhou, A. Khosla, A. Lapedriza, A. Oliva, A. Torralba, "Learning Deep Features for
Discriminative Localization", CVPR 2016 (class activation maps).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.inference import OnnxEngine, softmax
from ml.views import Box, box_of

# Cells along the photo's longer side, where several looks are put together.
_CELLS = 18
_FEWEST_CELLS = 3

# Heat that is no more than this, of 1, is as good as none.
_FAINT = 0.1
# Shares of the heat from which a place is named.
_MOST, _HALF = 0.4, 0.55
_ROWS, _COLUMNS = ("upper", "middle", "lower"), ("left", "middle", "right")
EVERYWHERE = "everywhere"
NOWHERE = "nowhere"


@dataclass(frozen=True)
class Look:
    """What one look at a photo said of each place.

    Attributes:
        box: The part of the photo that was looked at.
        local: Logits, shape `(rows, columns, labels)`.
        weight: How much it counts in the answer.
    """

    box: Box
    local: np.ndarray
    weight: float = 1.0


@dataclass(frozen=True)
class Heat:
    """How much each place in a photo speaks for a label.

    Attributes:
        label: The label.
        box: The part of the photo that the version looked at; it knows nothing of the rest.
        values: From 0 to 1, shape `(rows, columns)`, over `box`: 1 is the strongest evidence in the
            photo, for the label or against it; a place that speaks against it has 0.
        margin: Log-odds of the label that the places have together, before calibration.
        looks: How often the version looked at the photo.
    """

    label: str
    box: Box
    values: np.ndarray
    margin: float
    looks: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether the version looked at the whole photo."""
        return min(self.box[2:]) > 0.995

    @property
    def where(self) -> str:
        """Where in the photo most of the heat is: one of a few names.

        `upper left` to `lower right`, `middle` for the very middle, `left`, `right`, `upper`,
        `lower` where a whole side is warm, `everywhere`, or `nowhere` where there is hardly any.
        """
        if self.values.max() <= _FAINT:
            return NOWHERE
        thirds = self._thirds()
        shares = thirds / thirds.sum()
        row, column = divmod(int(shares.argmax()), 3)
        if shares.max() >= _MOST:
            return _name(_ROWS[row], _COLUMNS[column])
        across, down = shares.sum(axis=0), shares.sum(axis=1)
        if max(across.max(), down.max()) < _HALF:
            return EVERYWHERE
        if across.max() >= down.max():
            return _COLUMNS[int(across.argmax())]
        return _ROWS[int(down.argmax())]

    def _thirds(self) -> np.ndarray:
        """Heat in each ninth of the whole photo, of places half as hot as the hottest at least."""
        left, top, width, height = self.box
        rows, columns = self.values.shape
        down = top + height * (np.arange(rows) + 0.5) / rows
        across = left + width * (np.arange(columns) + 0.5) / columns
        thirds = np.zeros((3, 3))
        place = np.ix_((down * 3).astype(int).clip(0, 2), (across * 3).astype(int).clip(0, 2))
        np.add.at(thirds, place, self.values * (self.values >= self.values.max() / 2))
        return thirds


def look(engine: OnnxEngine, pixels: np.ndarray) -> tuple[Look, ...]:
    """Look at a photo as `engine.predict` does, and remember what was seen where.

    Args:
        engine: Of the version whose answer is to be explained.
        pixels: `uint8`, shape `(h, w, 3)`.

    Raises:
        SpatialError: if the version's networks are not built as ours are.
    """
    height, width = pixels.shape[:2]
    seen = engine.look_where(pixels)
    return tuple(Look(box_of(name, width, height), local, weight) for name, weight, local in seen)


def heat_for(looks: Sequence[Look], labels: Sequence[str], label: str, aspect: float = 1.0) -> Heat:
    """The heat map of a label.

    Args:
        looks: From `look`; each counts as much as it does in the answer.
        labels: The version's, in their order.
        label: One of them.
        aspect: Width of the photo over its height.

    Raises:
        ValueError: if there is no such label.
    """
    if label not in labels:
        raise ValueError(f"Labels are {', '.join(labels)}. Received: {label!r}")
    weights = [each.weight for each in looks]
    logits = np.average([each.local.mean(axis=(0, 1)) for each in looks], axis=0, weights=weights)
    contrast = _contrast(logits, labels.index(label))
    maps = [(each.box, each.local @ contrast) for each in looks]
    box, margins = maps[0] if len(maps) == 1 else _together(maps, weights, aspect)
    strongest = float(np.abs(margins).max()) or 1.0
    values = np.clip(margins / strongest, 0, 1)
    return Heat(label, box, values, float(logits @ contrast), len(looks))


def _contrast(logits: np.ndarray, index: int) -> np.ndarray:
    """How much each logit speaks for a label: the gradient of its log-odds, shape `(labels,)`.

    The label itself counts 1, and the others -1 together, each by how near it comes.
    """
    others = np.delete(np.arange(len(logits)), index)
    contrast = np.zeros(len(logits))
    contrast[index] = 1
    contrast[others] = -softmax(logits[others])
    return contrast


def _together(
    maps: Sequence[tuple[Box, np.ndarray]], weights: Sequence[float], aspect: float
) -> tuple[Box, np.ndarray]:
    """Several looks on one map: at each place, the weighed mean of those that saw it.

    Returns:
        The part of the photo that any of them looked at, and the map over it.
    """
    boxes = [box for box, _ in maps]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = (max(box[i] + box[i + 2] for box in boxes) for i in (0, 1))
    width, height = right - left, bottom - top
    shape = width * aspect, height
    columns, rows = (max(_FEWEST_CELLS, round(_CELLS * side / max(shape))) for side in shape)
    total, seen = np.zeros((rows, columns)), np.zeros((rows, columns))
    for (box, margins), weight in zip(maps, weights, strict=True):
        down = _sampling(rows, (box[1] - top) / height, box[3] / height, margins.shape[0])
        across = _sampling(columns, (box[0] - left) / width, box[2] / width, margins.shape[1])
        total += weight * (down @ margins @ across.T)
        seen += weight * np.outer(down.sum(axis=1), across.sum(axis=1))
    return (left, top, width, height), total / np.maximum(seen, min(weights))


def _sampling(cells: int, start: float, extent: float, number: int) -> np.ndarray:
    """Linear interpolation of `number` values that lie in a part of a line, at its cells' middles.

    Args:
        cells: Of the line.
        start: Of the part, as a share of the line.
        extent: Likewise.
        number: Of values.

    Returns:
        Weights of the values in each cell, shape `(cells, number)`; 0 in cells outside the part.
    """
    middles = ((np.arange(cells) + 0.5) / cells - start) / extent  # 0 to 1 inside
    inside = (middles >= 0) & (middles <= 1)
    places = np.clip(middles * number - 0.5, 0, number - 1)
    return np.asarray(
        np.maximum(0, 1 - np.abs(places[:, None] - np.arange(number))) * inside[:, None]
    )


def _name(row: str, column: str) -> str:
    return row if row == column else f"{row} {column}"
