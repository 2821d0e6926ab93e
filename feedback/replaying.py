"""Show logged photos to another version: what would it have said of them?"""

import time
from collections.abc import Iterator
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from classifier import storage
from classifier.models import ModelVersion, Prediction
from feedback import tasks
from feedback.heartbeat import Heartbeat, Overtaken, RunFailed, ours
from feedback.models import Replay, ReplayedAnswer, Run
from feedback.replay_summary import summary_of
from ml.inference import Answer, Engine, OnnxEngine
from ml.photos import PhotoError, decode_photo
from ml.registry import VersionError

DEFAULT_LAST = 1000
MOST = 1_000_000
# Photos between two commits: an interrupted replay loses less than this.
BATCH = 50
# Photos that both versions are timed on, in turn.
_TIMED = 20

_BROKEN = gettext_noop("Version %(version)s is broken: %(problem)s")


def load(name: str) -> Engine:
    """The engine of a version.

    Raises:
        RunFailed: if its folder is broken, or it answers nonsense.
    """
    try:
        engine = OnnxEngine(settings.MODELS_DIR / name)
        engine.warm_up()
    except VersionError as error:
        raise RunFailed(str(error)) from error
    except FloatingPointError as error:
        raise RunFailed(_BROKEN % {"version": name, "problem": error}) from error
    return engine


def ask(version: ModelVersion, last: int, by: str, *, anew: bool = False) -> tuple[Replay, bool]:
    """A replay, waiting to be worked on: the last one like it if that never reached its end.

    Args:
        version: Who is asked.
        last: How many photos.
        by: Who asks, for the record.
        anew: Begin a new one even so.

    Returns:
        The replay, and whether it goes on with an earlier one.

    Raises:
        AlreadyRunning: if one like it has not ended.
    """
    tasks.reap(timezone.now())
    found = Replay.objects.filter(version=version, last=last).first()
    if found is not None and not found.is_finished:
        raise tasks.AlreadyRunning(found)
    if anew or found is None or found.state == Run.State.DONE:
        return Replay.objects.create(version=version, last=last, asked_by=by), False
    _go_on_with(found)
    return found, True


def photos_of(replay: Replay) -> QuerySet[Prediction]:
    """The last answer about each photo that was kept when the replay was asked for, newest first.

    There may be more of them than the replay wants.
    """
    kept = Prediction.objects.filter(photo_is_kept=True, created_at__lte=replay.created_at)
    later = kept.filter(photo_sha256=OuterRef("photo_sha256"), pk__gt=OuterRef("pk"))
    return kept.filter(~Exists(later)).order_by("-pk")


def replay(run: Replay, heart: Heartbeat) -> None:
    """Ask the replay's version about each photo that it was not asked about before, and sum up.

    Args:
        run: Claimed by this process.
        heart: Its heartbeat.

    Raises:
        RunFailed: with the reason.
        Stopped: if it is to stop; what was committed stays, and the next one goes on from there.
    """
    heart.step(0.0, gettext_noop("Loading %(version)s") % {"version": run.version_id})
    engine = load(run.version_id)
    total = photos_of(run)[: run.last].count()
    skipped = {"erased": 0, "broken": 0}
    done = 0
    for page in _pages(run):
        heart.patiently(partial(_commit, run, _answers(run, engine, page, skipped, heart)))
        done += len(page)
        words = gettext_noop("%(done)s of %(total)s photos") % {"done": done, "total": total}
        heart.step(0.95 * done / max(done, total), words)
    heart.step(0.95, gettext_noop("Timing it side by side with the live version"))
    timing = _side_by_side(run, engine, heart)
    heart.step(0.99, gettext_noop("Summing up"))
    summary = {**summary_of(run), "skipped": skipped, "side_by_side": timing}

    def write() -> None:
        with heart.last_words():
            heart.finish(summary=summary)

    heart.patiently(write)


def _go_on_with(found: Replay) -> None:
    again = {"state": Run.State.WAITING, "host": "", "pid": None, "heartbeat_at": timezone.now()}
    ended = {"problem": "", "finished_at": None, "cancel_asked_at": None}
    same = Replay.objects.filter(pk=found.pk, state=found.state)
    if not same.update(**again, **ended):  # somebody else was faster
        found.refresh_from_db()
        raise tasks.AlreadyRunning(found)
    found.refresh_from_db()


def _pages(run: Replay) -> Iterator[list[Prediction]]:
    """The replay's photos, some at a time: memory does not grow with their number."""
    photos, missing = photos_of(run), run.last
    rest = photos
    while page := list(rest[: min(BATCH, missing)]):
        yield page
        missing -= len(page)
        rest = photos.filter(pk__lt=page[-1].pk) if missing else photos.none()


def _answers(
    run: Replay,
    engine: Engine,
    page: list[Prediction],
    skipped: dict[str, int],
    heart: Heartbeat,
) -> list[ReplayedAnswer]:
    known = set(run.answers.filter(prediction__in=page).values_list("prediction_id", flat=True))
    answers = []
    for prediction in page:
        heart.check()
        if prediction.pk not in known and (pixels := _pixels(prediction, skipped)) is not None:
            answers.append(_answer(run, engine, prediction, pixels))
    return answers


def _pixels(prediction: Prediction, skipped: dict[str, int]) -> np.ndarray | None:
    """A photo, decoded; None, and counted, where that cannot be."""
    data = storage.read(prediction.photo_sha256)
    if data is None:
        skipped["erased"] += 1
        return None
    try:
        return decode_photo(data, max_pixels=settings.PHOTO_MAX_PIXELS).pixels
    except PhotoError:
        skipped["broken"] += 1
        return None


def _answer(
    run: Replay, engine: Engine, prediction: Prediction, pixels: np.ndarray
) -> ReplayedAnswer:
    try:
        milliseconds, answer = _timed(engine, pixels)
    except FloatingPointError as error:
        raise RunFailed(_BROKEN % {"version": run.version_id, "problem": error}) from error
    return ReplayedAnswer(
        replay=run,
        prediction=prediction,
        answer=answer.answer,
        label=answer.label,
        confidence=answer.confidence,
        probabilities=dict(answer.probabilities),
        inference_ms=milliseconds,
    )


def _timed(engine: Engine, pixels: np.ndarray) -> tuple[float, Answer]:
    started = time.perf_counter()
    answer = engine.predict(pixels)
    return (time.perf_counter() - started) * 1000, answer


def _commit(run: Replay, answers: list[ReplayedAnswer]) -> None:
    with transaction.atomic():
        if ours(run).select_for_update().first() is None:
            raise Overtaken(gettext_noop("The replay was given up for lost meanwhile."))
        # Predictions may have been erased since they were read; those locked here stay until later.
        asked = [answer.prediction_id for answer in answers]
        there = Prediction.objects.select_for_update().filter(pk__in=asked)
        still = set(there.values_list("pk", flat=True))
        ReplayedAnswer.objects.bulk_create(
            (answer for answer in answers if answer.prediction_id in still),
            ignore_conflicts=True,  # a commit whose answer got lost has been made all the same
        )


def _side_by_side(run: Replay, engine: Engine, heart: Heartbeat) -> dict[str, Any] | None:
    """Median times of both versions, asked in turn about the same photos on this machine, now."""
    live = ModelVersion.objects.live().first()
    if live is None or live.pk == run.version_id:
        return None
    try:
        other = load(live.name)
    except RunFailed as error:
        heart.say(f"Not timed side by side: {error}")
        return None
    mine, its = [], []
    for prediction in photos_of(run)[: min(_TIMED, run.last)]:
        heart.check()
        pixels = _pixels(prediction, {"erased": 0, "broken": 0})
        if pixels is not None:
            mine.append(_timed(engine, pixels)[0])
            its.append(_timed(other, pixels)[0])
    if not mine:
        return None
    return {
        "photos": len(mine),
        "live": live.name,
        "live_ms": round(median(its), 3),
        "version_ms": round(median(mine), 3),
    }
