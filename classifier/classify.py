"""The main job: ask the live version about a photo, keep the photo, log the answer."""

import time

from django.db import transaction

from classifier import journal, serving, storage, telemetry, unlearning
from classifier.models import ModelVersion, Prediction
from ml.inference import Answer, Engine
from ml.photos import Photo
from ml.sentences import Sentence


def classify_photo(photo: Photo, *, person: str) -> Prediction:
    """Answer for a photo. When this returns, the photo is kept, and the answer is logged.

    That is, committed; or, while the database is away, on disk until it is back: see its `logged`.

    Args:
        photo: Decoded, by `classifier.uploads.read_photo`.
        person: Who asks, by `classifier.callers.person_of`.

    Raises:
        NoLiveModel: if no version is there to answer.
        NotKept: if the disk does not take the photo.
        Unwritable: if neither the database nor the disk takes the row.
    """
    started = time.perf_counter()
    engine = serving.engine()
    with serving.slot():
        asked = time.perf_counter()
        answer = _ask(engine, photo)
        inference_ms = _milliseconds_since(asked)
    # The photo first: a row without its photo would be a promise that we cannot keep.
    storage.keep(photo)
    prediction = Prediction.of(
        answer,
        photo,
        # As its card has it: what the loaded files were checked against, without a query.
        version=ModelVersion.from_card(engine.card),
        person=person,
        inference_ms=inference_ms,
        total_ms=photo.decode_ms + _milliseconds_since(started),
    )
    journal.log(prediction)
    # Once more: someone may have erased the same photo before our row could speak for it.
    storage.keep(photo)
    telemetry.count_answer(prediction)
    return prediction


def erase_prediction(prediction: Prediction) -> None:
    """Remove a prediction with its feedback, and its photo unless someone else sent the same.

    What was learnt from the photo is marked, see `classifier.unlearning`. The file goes last: where
    this is cut short after the row is gone, `prune_photos` finds the file and ends it.

    Raises:
        Waiting: if it might come back, because it waits on disk as well.
    """
    journal.settle(prediction.pk)
    sha256 = prediction.photo_sha256
    with transaction.atomic():
        prediction.delete()
        unlearning.unlearn_unless_allowed(sha256)
    storage.erase(sha256, Prediction.objects.sharing_photo(sha256).with_photo().exists)


def _ask(engine: Engine, photo: Photo) -> Answer:
    try:
        return engine.predict(photo.pixels)
    except FloatingPointError as error:
        raise serving.NoLiveModel(
            Sentence(
                "Version %(version)s is broken: %(problem)s",
                version=engine.card.version,
                problem=str(error),
            )
        ) from error


def _milliseconds_since(start: float) -> float:
    return (time.perf_counter() - start) * 1000
