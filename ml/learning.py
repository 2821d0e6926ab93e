"""Two ways to a network that tells labels apart: from ImageNet's weights, and from nothing.

Both give the same thing, a backbone with a linear head, so that all that comes after is one.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ml.architectures import build_named
from ml.backbones import (
    Weights,
    architecture_named,
    halve,
    load_imagenet,
    set_weights,
)
from ml.examples import Example, in_split, labels_of
from ml.export import to_onnx
from ml.features import Backbone, FeatureCache, features_of
from ml.fitting import RECIPES, fit_network
from ml.frozen import backbone_of
from ml.halves import round_to_half
from ml.heads import Head, fit_head
from ml.quantise import calibration_photos, quantised
from ml.scratch import network_named

Say = Callable[[str], None]


@dataclass(frozen=True)
class Learnt:
    """A network that tells labels apart.

    Attributes:
        model: In Keras, its weights rounded to half precision.
        backbone: Gives its features.
        head: Its last layer, from features to logits.
        imagenet: Kernel and bias of ImageNet's head on the same features; None where it has none.
        history: How it was trained, for the card: a row for each epoch, or the loss of each step.
        notes: What else the card should say.
        steps: Photos that set the steps of 8-bit numbers, see `ml.quantise`; None where the
            backbone computes in floating point.
    """

    model: keras.Model
    backbone: Backbone
    head: Head
    imagenet: tuple[np.ndarray, np.ndarray] | None
    history: list[Any]
    notes: dict[str, Any]
    steps: np.ndarray | None = None


def learn_from_imagenet(
    examples: Sequence[Example],
    name: str,
    cache: Path,
    *,
    views: Sequence[str],
    l2: float,
    seed: int,
    max_iterations: int,
    int8: bool = False,
) -> Learnt:
    """Fit a head on the features of a frozen backbone.

    Args:
        examples: Photos of all splits that can be decoded; the train split is learnt from.
        name: Of `ml.backbones.ARCHITECTURES`.
        cache: Where features are kept between runs.
        views: How each photo is looked at.
        l2: See `fit_head`, as the rest.
        seed: Likewise.
        max_iterations: Likewise.
        int8: Let the backbone compute in whole numbers of 8 bits; the head is fitted to that.
    """
    architecture, labels = architecture_named(name), labels_of(examples)
    weights = halve(load_imagenet(architecture))
    backbone = backbone_of(architecture, weights)
    steps = calibration_photos(examples, architecture.side) if int8 else None
    if steps is not None:
        backbone = quantised(backbone, steps)
    seen = features_of(in_split(examples, "train"), backbone, views, FeatureCache(cache))
    num_views, width = seen.vectors.shape[1:]
    targets = np.repeat([labels.index(example.label) for example in seen.examples], num_views)
    fitted = fit_head(
        seen.vectors.reshape(-1, width),
        targets,
        len(labels),
        l2=l2,
        seed=seed,
        max_iterations=max_iterations,
    )
    head = Head(round_to_half(fitted.kernel), round_to_half(fitted.bias), fitted.history)
    model = _assemble(name, architecture.side, weights.with_head(head.kernel, head.bias))
    notes = {"steps": len(head.history) - 1, "loss": round(head.history[-1], 6)}
    history = [round(loss, 6) for loss in head.history]
    return Learnt(model, backbone, head, weights.layers["head"], history, notes, steps)


def learn_from_scratch(examples: Sequence[Example], name: str, seed: int, say: Say) -> Learnt:
    """Train all of a network from random weights.

    Args:
        examples: Photos of all splits that can be decoded; the train split is learnt from, the
            calibration split says which epoch is the best.
        name: Of `ml.scratch.NETWORKS`.
        seed: See `ml.fitting.FitConfig`.
        say: Told what has been found and done.
    """
    recipe = replace(RECIPES[name], seed=seed)
    fitted = fit_network(examples, network_named(name), recipe, say=say)
    model, history = fitted.model, list(fitted.history)
    head = Head(*model.get_layer("head").get_weights())
    notes = {
        "recipe": asdict(recipe),
        "device": asdict(fitted.device),
        "best_epoch": fitted.best_epoch,
        "cpu_seconds": fitted.cpu_seconds,
    }
    backbone = Backbone(_digest(model), model.input_shape[1], lambda: to_onnx(model))
    return Learnt(model, backbone, head, None, history, notes)


def _assemble(name: str, side: int, weights: Weights) -> keras.Model:
    """A network with its weights, as many outputs as its head has."""
    model = build_named(name, side, len(weights.layers["head"][1]))
    set_weights(model, weights)
    return model


def _digest(model: keras.Model) -> str:
    digest = hashlib.sha256(model.name.encode())
    for array in model.get_weights():
        digest.update(f"{array.shape}\n".encode() + np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()
