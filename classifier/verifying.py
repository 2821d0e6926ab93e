"""Ask a logged prediction's version about its photo again, and compare with the receipt."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.conf import settings

from classifier import storage
from classifier.models import ModelVersion, Prediction
from ml.inference import Answer, OnnxEngine
from ml.photos import PhotoError, decode_photo
from ml.registry import VersionError

# What another processor, or another release of ONNX Runtime, may change in a number from 0 to 1.
# On the machine that answered first, the numbers are the same to the last bit.
TOLERANCE = 0.01


class VerifyError(Exception):
    """A prediction cannot be asked again; the message says what is missing."""


@dataclass(frozen=True)
class Item:
    """One thing that was compared.

    Attributes:
        name: Of it.
        logged: As the receipt has it.
        found: As it is now.
        same: Whether they agree, numbers within the tolerance.
    """

    name: str
    logged: Any
    found: Any
    same: bool


def verify_prediction(prediction: Prediction, tolerance: float = TOLERANCE) -> list[Item]:
    """Compare a prediction's receipt with its version's folder, and its answer with a new one.

    Args:
        prediction: As it was logged.
        tolerance: By how much a probability, or the novelty, may differ.

    Raises:
        VerifyError: if the photo is erased or the version's folder is gone or changed.
    """
    data = storage.read(prediction.photo_sha256)
    if data is None:
        raise VerifyError("The photo has been erased: there is nothing to ask about.")
    try:
        engine = OnnxEngine(settings.MODELS_DIR / prediction.version_id)
        pixels = decode_photo(data, max_pixels=settings.PHOTO_MAX_PIXELS).pixels
        answer = engine.predict(pixels)
    except (VersionError, PhotoError, FloatingPointError) as error:
        raise VerifyError(str(error)) from error
    logged, found = prediction.version.receipt, ModelVersion.from_card(engine.card).receipt
    photo = _exactly("photo SHA-256", prediction.photo_sha256, sha256(data).hexdigest())
    version = [_exactly(_words(name), logged[name], found[name]) for name in logged]
    return [photo, *version, *_compare_answers(prediction, answer, tolerance)]


def _compare_answers(prediction: Prediction, answer: Answer, tolerance: float) -> Iterator[Item]:
    yield _exactly("answer", prediction.answer, answer.answer)
    for label, logged in prediction.ranked:
        found = answer.probabilities.get(label)
        yield _nearly(f"probability of {label}", logged, found, tolerance)
    yield _nearly("novelty", prediction.novelty, answer.novelty, tolerance)


def _words(name: str) -> str:
    return name.replace("_", " ").replace("sha256", "SHA-256")


def _exactly(name: str, logged: Any, found: Any) -> Item:
    return Item(name, logged, found, logged == found)


def _nearly(name: str, logged: float | None, found: float | None, tolerance: float) -> Item:
    if logged is None or found is None:
        return _exactly(name, logged, found)
    return Item(name, logged, found, abs(logged - found) <= tolerance)
