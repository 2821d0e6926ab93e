"""Two ways to a network that tells labels apart: from ImageNet's weights, and from nothing.

Both give the same thing, a backbone with a linear head, so that all that comes after is one.
"""

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.architectures import build_named
from ml.examples import Example, in_split, labels_of
from ml.features import Backbone, FeatureCache, features_of
from ml.halves import round_to_half
from ml.heads import Head, fit_head
from ml.imagenet import Weights, architecture_named, halve, load_imagenet
from ml.keeping import NETWORKS, Kept
from ml.quantise import calibration_photos, quantised
from ml.templates import Template, made_up_head

if TYPE_CHECKING:
    import keras

# Importing it takes seconds, which a training whose networks are kept does not need; that it is
# missing is told before anything is trained.
if importlib.util.find_spec("keras") is None:
    raise ImportError("No module named 'keras'")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Learnt:
    """A network that tells labels apart.

    Attributes:
        name: Of its architecture.
        template: Its forms, to put the head into.
        backbone: Gives its features.
        head: Its last layer, from features to logits.
        imagenet: Kernel and bias of ImageNet's head on the same features; None where it has none.
        history: How it was trained, for the card: a row for each epoch, or the loss of each step.
        notes: What else the card should say.
        steps: Photos that set the steps of 8-bit numbers, see `ml.quantise`; None where the
            backbone computes in floating point.
    """

    name: str
    template: Template
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
        name: Of `ml.imagenet.ARCHITECTURES`.
        cache: Where features and networks are kept between runs.
        views: How each photo is looked at.
        l2: See `fit_head`, as the rest.
        seed: Likewise.
        max_iterations: Likewise.
        int8: Let the backbone compute in whole numbers of 8 bits; the head is fitted to that.
    """
    architecture, labels = architecture_named(name), labels_of(examples)
    weights = halve(load_imagenet(architecture))
    template = _template(name, weights, len(labels), Kept(cache / NETWORKS))
    backbone = Backbone(weights.sha256, architecture.side, template.network)
    steps = calibration_photos(examples, architecture.side) if int8 else None
    if steps is not None:
        named, photos = quantised(backbone, steps), steps
        backbone = replace(named, to_onnx=lambda: template.small(photos))
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
    notes = {"steps": len(head.history) - 1, "loss": round(head.history[-1], 6)}
    history = [round(loss, 6) for loss in head.history]
    return Learnt(name, template, backbone, head, weights.layers["head"], history, notes, steps)


def learn_from_scratch(
    examples: Sequence[Example], name: str, cache: Path, seed: int, say: Say
) -> Learnt:
    """Train all of a network from random weights.

    Args:
        examples: Photos of all splits that can be decoded; the train split is learnt from, the
            calibration split says which epoch is the best.
        name: Of `ml.scratch.NETWORKS`.
        cache: Where features and networks are kept between runs.
        seed: See `ml.fitting.FitConfig`.
        say: Told what has been found and done.
    """
    from ml import fitting
    from ml.scratch import network_named

    recipe = replace(fitting.RECIPES[name], seed=seed)
    fitted = fitting.fit_network(examples, network_named(name), recipe, say=say)
    model, history = fitted.model, list(fitted.history)
    head = Head(*model.get_layer("head").get_weights())
    notes = {
        "recipe": asdict(recipe),
        "device": asdict(fitted.device),
        "best_epoch": fitted.best_epoch,
        "cpu_seconds": fitted.cpu_seconds,
    }
    sha256, num_labels = _digest(model), len(head.bias)
    template = Template(sha256, num_labels, lambda: model, Kept(cache / NETWORKS))
    backbone = Backbone(sha256, model.input_shape[1], template.network)
    return Learnt(name, template, backbone, head, None, history, notes)


def _template(name: str, weights: Weights, num_labels: int, kept: Kept) -> Template:
    """A network from ImageNet's weights, with a head of as many outputs as there are labels."""

    def build() -> "keras.Model":
        from ml.backbones import set_weights

        width = len(weights.layers["head"][0])
        model = build_named(name, architecture_named(name).side, num_labels)
        set_weights(model, weights.with_head(*made_up_head(width, num_labels)))
        return model

    return Template(weights.sha256, num_labels, build, kept)


def _digest(model: "keras.Model") -> str:
    digest = hashlib.sha256(model.name.encode())
    for array in model.get_weights():
        digest.update(f"{array.shape}\n".encode() + np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()
