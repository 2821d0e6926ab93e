"""Whether two forms of a network agree, on the same photos."""

import numpy as np

from ml.inference import softmax

# Largest difference of a probability that two runtimes may show on the same pixels.
PARITY = 1e-4
# And of a feature, which are of the order of 1. Where an answer is certain, pixels prepared in
# another way hardly move its probability; they always move features.
FEATURE_PARITY = 1e-3

# Features, shape `(n, d)`, and logits, shape `(n, labels)`.
Outputs = tuple[np.ndarray, np.ndarray]


class ParityError(Exception):
    """Two forms of the same network answer differently."""


def compare(by_keras: Outputs, by_onnx: Outputs) -> float:
    """Compare what Keras and ONNX Runtime said of the same photos.

    Returns:
        The largest difference of a probability.

    Raises:
        ParityError: if it is above `PARITY`, or that of a feature above `FEATURE_PARITY`.
        FloatingPointError: if an output is not a finite number.
    """
    difference = float(np.abs(softmax(by_keras[1]) - softmax(by_onnx[1])).max())
    of_feature = float(np.abs(by_keras[0] - by_onnx[0]).max())
    for found, accepted, what in (
        (difference, PARITY, "probability"),
        (of_feature, FEATURE_PARITY, "feature"),
    ):
        if not found <= accepted:  # so that NaN is refused
            raise ParityError(
                f"Keras and ONNX Runtime differ by {found:.2g} in a {what} on "
                f"{len(by_keras[0])} photos; at most {accepted:g} is accepted."
            )
    return difference
