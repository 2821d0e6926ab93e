"""Half precision: what every file of a version holds its weights in."""

import numpy as np

from ml.pytorch_stream import WeightsError


def round_to_half(array: np.ndarray) -> np.ndarray:
    """The nearest half-precision numbers, as `float32`.

    Raises:
        WeightsError: if a number is too large for half precision, or not a number.
    """
    with np.errstate(over="ignore"):  # what overflows is refused below, with a reason
        rounded = array.astype(np.float16).astype(np.float32)
    if not np.isfinite(rounded).all():
        raise WeightsError(f"A weight does not fit half precision: {np.abs(array).max()}")
    return rounded
