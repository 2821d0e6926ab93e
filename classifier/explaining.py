"""Explain a logged answer: where in its photo the version that gave it saw what it said."""

import threading
from collections import OrderedDict
from hashlib import sha256

import numpy as np
from django.conf import settings

from classifier import serving, storage
from classifier.loading import give_back_memory, load
from classifier.models import ModelVersion, Prediction
from ml.explain import Heat, Look, heat_for, look
from ml.heat_pictures import over_photo, overlay
from ml.inference import Engine, OnnxEngine
from ml.photos import PhotoError, decode_photo
from ml.registry import VersionError
from ml.sentences import Sentence
from ml.spatial import SpatialError

# Of a picture, in pixels.
LONGEST_SIDE = 640
# How long a version that is not live stays loaded for the next question about it.
_IDLE_SECONDS = 60.0
# Photos whose looks are remembered: the sentence and the picture on the page need the same ones.
_REMEMBERED = 64
# Part of each ETag: another one makes browsers fetch pictures again that are drawn differently now.
_DRAWN = "1"

ERASED = Sentence("The photo has been erased: there is nothing to look at any more.")


class ExplainError(Exception):
    """An answer cannot be explained any more; the message says why."""


class Spare:
    """The engine of one version that is not live, forgotten when nobody asks for a while.

    Args:
        idle_seconds: How long that is.
    """

    def __init__(self, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._timer: threading.Timer | None = None

    def engine_of(self, version: ModelVersion) -> Engine:
        """The engine of a version, loaded unless it was the last one asked for.

        Raises:
            VersionError: if it cannot be loaded.
        """
        with self._lock:
            if self._engine is None or self._engine.card.version != version.name:
                self._engine = None  # first: two spare ones would be too much memory
                self._engine = load(version)
            self._forget_later()
            return self._engine

    def forget(self) -> None:
        """Give its memory back."""
        with self._lock:
            self._engine = None
        give_back_memory()

    def _forget_later(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = threading.Timer(self._idle_seconds, self.forget)
        self._timer.daemon = True
        self._timer.start()


class Remembered:
    """The looks at the last few photos that somebody asked about: some kilobytes each."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._looks: OrderedDict[str, tuple[Look, ...]] = OrderedDict()

    def get(self, prediction: Prediction) -> tuple[Look, ...] | None:
        with self._lock:
            return self._looks.get(str(prediction.pk))

    def put(self, prediction: Prediction, looks: tuple[Look, ...]) -> None:
        with self._lock:
            self._looks[str(prediction.pk)] = looks
            while len(self._looks) > self._most:
                self._looks.popitem(last=False)


_spare = Spare()
_remembered = Remembered()


def explain(prediction: Prediction, label: str = "") -> Heat:
    """The heat map of an answer, by the version that gave it.

    Args:
        prediction: The answer.
        label: What is to be explained, one of the prediction's labels; its own if empty.

    Raises:
        ExplainError: if the photo or the version is gone.
    """
    if storage.path_of(prediction.photo_sha256) is None:
        raise ExplainError(ERASED)
    looks = _remembered.get(prediction)
    if looks is None:
        looks = _look(_engine_of(prediction), prediction)
        _remembered.put(prediction, looks)
    labels = list(prediction.version.labels)
    aspect = prediction.photo_width / prediction.photo_height
    return heat_for(looks, labels, label or prediction.label, aspect)


def overlay_of(prediction: Prediction, heat: Heat) -> bytes:
    """A PNG to lay over the photo."""
    width, height = prediction.photo_width, prediction.photo_height
    factor = min(1.0, LONGEST_SIDE / max(width, height))
    return overlay(heat, max(1, round(width * factor)), max(1, round(height * factor)))


def picture_of(prediction: Prediction, heat: Heat) -> bytes:
    """A PNG of the photo with the heat map over it.

    Raises:
        ExplainError: if the photo was erased meanwhile.
    """
    return over_photo(heat, _pixels_of(prediction), LONGEST_SIDE)


def etag_of(prediction: Prediction, *what: object) -> str:
    """Names what the explanation of an answer looks like: the answer's version never changes."""
    parts = (_DRAWN, prediction.pk, prediction.version_id, *what)
    digest = sha256("\n".join(str(part) for part in parts).encode()).hexdigest()
    return f'"{digest[:32]}"'


def _engine_of(prediction: Prediction) -> Engine:
    try:
        engine = serving.engine()
    except serving.NoLiveModel:
        pass
    else:
        if engine.card.version == prediction.version_id:
            return engine
    try:
        return _spare.engine_of(prediction.version)
    except VersionError as error:
        raise ExplainError(
            Sentence(
                "Version %(version)s, which gave this answer, cannot be loaded any more.",
                version=prediction.version_id,
            )
        ) from error


def _look(engine: Engine, prediction: Prediction) -> tuple[Look, ...]:
    pixels = _pixels_of(prediction)
    try:
        if not isinstance(engine, OnnxEngine):
            raise SpatialError("It is no network of ours.")
        with serving.slot():
            return look(engine, pixels)
    except (SpatialError, FloatingPointError) as error:
        raise ExplainError(
            Sentence(
                "Version %(version)s, which gave this answer, is built in a way that cannot be "
                "explained.",
                version=prediction.version_id,
            )
        ) from error


def _pixels_of(prediction: Prediction) -> np.ndarray:
    data = storage.read(prediction.photo_sha256)
    if data is None:
        raise ExplainError(ERASED)
    try:
        return decode_photo(data, max_pixels=settings.PHOTO_MAX_PIXELS).pixels
    except PhotoError as error:
        raise ExplainError(
            Sentence("The photo cannot be read any more: %(problem)s", problem=error.args[0])
        ) from error
