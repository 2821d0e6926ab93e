"""Networks exported once, without a head of their own, and kept: the export takes Keras' time.

A frozen network is exported with a head of made-up numbers, and kept beside the features; the
fitted head is put into its files afterwards, by `ml.surgery`. A second training on the same
backbone then needs no Keras, and gives the same files, byte for byte, as the first.
"""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ml.export import check_parity, to_keras, to_onnx
from ml.features import session_from
from ml.heads import Head
from ml.keeping import Kept
from ml.parity import compare
from ml.quantise import quantise
from ml.surgery import keras_with_head, read_keras_head, with_head

if TYPE_CHECKING:
    import keras

# The code, and the packages, that decide what is exported: other ones, and it is exported anew.
_CODE = (
    "architectures", "backbones", "export", "halves", "imagenet", "quantise", "scratch", "surgery",
    "templates",
)  # fmt: skip
_PACKAGES = ("keras", "numpy", "onnx", "onnxruntime", "tensorflow", "tensorflow-cpu", "tf2onnx")


@dataclass(frozen=True)
class Template:
    """A network in its forms, each made when it is first asked for, and kept.

    Attributes:
        sha256: Of the weights beside the head.
        num_labels: Outputs of the head.
        build: Gives the network in Keras, with any head; called only where something is missing.
        kept: Where the forms are kept between runs.
    """

    sha256: str
    num_labels: int
    build: Callable[[], "keras.Model"]
    kept: Kept = field(repr=False)

    def network(self) -> bytes:
        """As ONNX, in floating point."""
        return self._keep("onnx", lambda: to_onnx(self._model))

    def small(self, steps: np.ndarray) -> bytes:
        """As ONNX, in whole numbers of 8 bits; see `ml.quantise.quantise` for `steps`."""
        return self._keep(f"int8 {_of(steps)}", lambda: quantise(self.network(), steps))

    def with_head(self, head: Head, steps: np.ndarray | None) -> "Forms":
        """The network's files with a head: what ships.

        Args:
            head: Rounded to half precision.
            steps: As for `small`; None: the network ships in floating point.
        """
        network = with_head(self.network(), head)
        small = None if steps is None else with_head(self.small(steps), head)
        by_keras = keras_with_head(self._keep("keras", lambda: to_keras(self._model)), head)
        return Forms(network, small, by_keras)

    def check(self, forms: "Forms", photos: np.ndarray) -> float:
        """Compare what ships with what Keras says of the same photos.

        Keras' features of the photos are kept; its logits are these features and the head that
        the Keras file holds. The ONNX network is run.

        Args:
            forms: From `with_head`.
            photos: `uint8`, shape `(n, side, side, 3)`; real ones.

        Returns:
            The largest difference of a probability.

        Raises:
            ParityError: if the two differ.
        """
        features = self._features(photos)
        session = session_from(forms.network)
        found = [session.run(["features", "logits"], {"photos": p[np.newaxis]}) for p in photos]
        by_onnx = np.concatenate([f for f, _ in found]), np.concatenate([s for _, s in found])
        return compare((features, read_keras_head(forms.by_keras).logits(features)), by_onnx)

    @cached_property
    def _model(self) -> "keras.Model":
        return self.build()

    def _features(self, photos: np.ndarray) -> np.ndarray:
        def make() -> bytes:
            check_parity(self._model, self.network(), photos)  # of Keras' own head, before surgery
            content = io.BytesIO()
            np.save(content, np.asarray(self._model.predict_on_batch(photos)["features"]))
            return content.getvalue()

        kept = self._keep(f"features {_of(photos)}", make, of_photos=True)
        return np.asarray(np.load(io.BytesIO(kept), allow_pickle=False))

    def _keep(self, form: str, make: Callable[[], bytes], *, of_photos: bool = False) -> bytes:
        key = f"{self.sha256} {self.num_labels} {form} {_recipe()}"
        return self.kept.get(key, make, of_photos=of_photos)


@dataclass(frozen=True)
class Forms:
    """A network as it ships.

    Attributes:
        network: As ONNX, in floating point.
        small: The same in whole numbers, which ships in its place; None: it does not.
        by_keras: As a `.keras` file.
    """

    network: bytes
    small: bytes | None
    by_keras: bytes


def made_up_head(width: int, num_labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias of a template: always the same, and no number that an exporter leaves out."""
    chance = np.random.default_rng(0)
    kernel = chance.uniform(0.01, 0.1, (width, num_labels)).astype(np.float16)
    bias = chance.uniform(0.01, 0.1, num_labels).astype(np.float16)
    return kernel.astype(np.float32), bias.astype(np.float32)


def _of(photos: np.ndarray) -> str:
    return hashlib.sha256(f"{photos.shape}".encode() + photos.tobytes()).hexdigest()


def _recipe() -> str:
    digest = hashlib.sha256()
    for name in _CODE:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    digest.update(" ".join(map(_version, _PACKAGES)).encode())
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # TensorFlow comes in more packages than one
        return "none"
