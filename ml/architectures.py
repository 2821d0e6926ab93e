"""Every network by its name: to train it, or to build it again around weights that are read."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ml.imagenet import ARCHITECTURES, architecture_named

if TYPE_CHECKING:
    import keras

# Names of the networks that begin with ImageNet's weights, and of those that begin with nothing:
# the keys of `ml.scratch.NETWORKS`, which takes seconds to import.
TRANSFER, FROM_SCRATCH = tuple(ARCHITECTURES), ("small-xception", "pawnet")


def check_architecture(name: str) -> None:
    """Refuse a name that no network has.

    Raises:
        ValueError: if so; the message lists the names there are.
    """
    if name not in (*TRANSFER, *FROM_SCRATCH):
        known = ", ".join((*TRANSFER, *FROM_SCRATCH))
        raise ValueError(f"Architectures are {known}. Received: {name!r}")


def build_named(name: str, side: int, num_labels: int, dtype: str = "float32") -> "keras.Model":
    """The network of that name as it serves, with random weights.

    Args:
        name: One of `TRANSFER` or `FROM_SCRATCH`.
        side: Side in pixels of the photos it takes in.
        num_labels: Outputs of the head.
        dtype: Of weights and arithmetic; `"float16"` only to store weights in half the space.

    Raises:
        ValueError: if there is no such network.
    """
    check_architecture(name)
    # Here and not above: a training whose networks are kept needs no Keras.
    from ml import backbones, scratch

    if name in FROM_SCRATCH:
        network = replace(scratch.network_named(name), side=side)
        return scratch.build(network, num_labels, dtype)
    architecture = replace(architecture_named(name), side=side)
    return backbones.build(architecture, num_labels, dtype)
