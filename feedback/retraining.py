"""From approved feedback to a judged version: the only flow in which one goes live by itself."""

import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from classifier.models import ModelVersion, Prediction, TrainingPhoto
from classifier.unlearning import unlearn_unless_allowed
from classifier.versions import PromotionError
from feedback import tasks
from feedback.discarding import discard_refused
from feedback.examples import approved_examples
from feedback.heartbeat import AWAY, Heartbeat, Overtaken, RunFailed, ours
from feedback.models import Review, TrainingRun
from feedback.readings import figure
from ml.examples import Example
from ml.registry import Card, VersionError

if TYPE_CHECKING:  # it loads onnx, which a server never does
    from ml.refitting import Refitted

Outcome = TrainingRun.Outcome
# Photos whose fate is asked for at once.
_AT_ONCE = 500

# Why a run cannot go on, or what came of it is refused.
_NO_LIVE = gettext_noop("No version is live, so there is nothing to start from.")
_NO_NUMBERS = gettext_noop("The networks computed what is no number: %(problem)s")
_NOT_WRITTEN = gettext_noop(
    "The database is away, so the verdict on %(version)s could not be written down. "
    "Start again once it is back; manage.py register_models would make its folder known."
)
_NAME_TAKEN = gettext_noop(
    "Another version named %(version)s is known already, though its folder is gone. "
    "Bring its folder back, or start again tomorrow under another name."
)
_FIGURES_BROKEN = gettext_noop("Its figures are no numbers: %(checks)s.")


def ask(by: str, *, force: bool = False) -> TrainingRun:
    """A new retraining, waiting to be worked on.

    Args:
        by: Who asks, for the record.
        force: Train even if there is nothing new to learn from.

    Raises:
        AlreadyRunning: if there is one that has not ended.
    """
    tasks.reap(timezone.now())
    try:
        with transaction.atomic():
            return TrainingRun.objects.create(asked_by=by, force=force)
    except IntegrityError:
        other = TrainingRun.objects.unfinished().first()
        if other is None:  # it ended between the two questions
            return TrainingRun.objects.create(asked_by=by, force=force)
        raise tasks.AlreadyRunning(other) from None


def retrain(run: TrainingRun, heart: Heartbeat) -> None:
    """Learn from approved feedback, be judged, go live if passed; what came of it is in `run`.

    Raises:
        RunFailed: with what to do.
        Stopped: if it was cancelled, or given up for lost; nothing stays of it.
    """
    live = _live_version()
    heart.step(0.0, gettext_noop("Gathering what reviewers approved"))
    examples = approved_examples()
    heart.note(live=live, num_photos=len(examples))
    heart.say(f"{live} is live. {len(examples)} approved photos.")
    if not examples and not run.force and not live.training_photos.exists():
        why = gettext_noop("No photo is approved for learning yet: review some first.")
        return _leave_it(heart, why)
    # Not above: only training needs them, and loading them takes seconds.
    from ml.refitting import RefitError, refit_digest, refit_version

    try:
        digest = refit_digest(settings.MODELS_DIR, live.name, examples)
        last = _last_training(live)
        if not run.force and last and last.data_digest == digest:
            why = gettext_noop("Nothing was approved or taken back since the last time.")
            return _leave_it(heart, why)
        refitted = refit_version(
            settings.MODELS_DIR,
            live.name,
            examples,
            cache=settings.FEATURES_DIR,
            say=heart.say,
            step=heart.step,
        )
    except (RefitError, VersionError) as error:
        raise RunFailed(str(error)) from error
    except FloatingPointError as error:
        raise RunFailed(_NO_NUMBERS % {"problem": error}) from error
    _keep(run, heart, live, examples, refitted, digest)


@dataclass(frozen=True)
class Outlook:
    """What a retraining would find, as far as can be told without loading a network.

    Attributes:
        num_photos: Approved, and still allowed.
        obstacle: Why none can start; empty: one can.
        is_news: Whether photos came or went, or were decided anew, since the last training.
    """

    num_photos: int
    obstacle: str
    is_news: bool


def outlook() -> Outlook:
    """What a retraining would find now."""
    live = ModelVersion.objects.live().first()
    if live is None:
        return Outlook(0, _NO_LIVE, False)
    photos = {example.sha256 for example in approved_examples()}
    if not photos and not live.training_photos.exists():
        return Outlook(0, gettext_noop("No photo is approved for learning yet."), False)
    return Outlook(len(photos), "", _is_news(photos, live))


def rows_of(run: TrainingRun) -> list[dict[str, Any]]:
    """The checks of a run's verdict, with their figures as text."""
    checks = (run.verdict or {}).get("checks", [])
    figures = ("candidate", "live")
    return [{**check, **{each: figure(check[each]) for each in figures}} for check in checks]


def lines_of(run: TrainingRun) -> Iterator[str]:
    """The same as lines; the words have the figures."""
    for check in rows_of(run):
        mark = "passed " if check["passed"] else "REFUSED"
        yield f"{mark} {check['name']}: {check['words']} Limit: {check['limit']}."


def _live_version() -> ModelVersion:
    live = ModelVersion.objects.live().first()
    if live is None:
        raise RunFailed(
            gettext_noop(
                "No version is live, so there is nothing to start from: manage.py register_models"
            )
        )
    return live


def _last_training(live: ModelVersion) -> TrainingRun | None:
    """The last one that ended in a verdict, if the live version is its result or its origin.

    Its origin: then it was refused, or rolled back, and the same photos would have it again.
    """
    done = TrainingRun.objects.filter(state=TrainingRun.State.DONE)
    last = done.exclude(outcome=Outcome.UNCHANGED).order_by("-finished_at").first()
    return last if last and live.pk in (last.live_id, last.candidate_id) else None


def _is_news(photos: set[str], live: ModelVersion) -> bool:
    last = _last_training(live)
    if last is None or last.candidate is None or last.started_at is None:
        return True
    learnt = last.candidate.training_photos.values_list("photo_sha256", flat=True)
    decided = Review.objects.approved().filter(decided_at__gte=last.started_at)
    return photos != set(learnt) or decided.exists()


def _leave_it(heart: Heartbeat, why: str) -> None:
    heart.say(why)
    heart.patiently(lambda: heart.finish(outcome=Outcome.UNCHANGED, problem=why))


def _keep(
    run: TrainingRun,
    heart: Heartbeat,
    live: ModelVersion,
    examples: Sequence[Example],
    refitted: "Refitted",
    digest: str,
) -> None:
    """Write down all that came of it at once, or nothing, and then no folder stays either."""
    card = refitted.card
    heart.step(0.99, gettext_noop("Writing down the verdict"))

    def write() -> None:
        with heart.last_words(), transaction.atomic():
            if ours(run).select_for_update().first() is None:
                # A commit whose answer got lost has been made all the same.
                if TrainingRun.objects.filter(pk=run.pk, candidate_id=card.version).exists():
                    return
                raise Overtaken(
                    gettext_noop("The run was given up for lost meanwhile; its version is dropped.")
                )
            candidate = _register(card)
            _note_photos(candidate, examples)
            outcome, problem = _promote_if_passed(candidate, live, refitted)
            heart.finish(
                outcome=outcome,
                problem=problem,
                candidate=candidate,
                verdict=_finite(refitted.verdict.as_dict()),
                data_digest=digest,
            )

    try:
        heart.patiently(write)
    except AWAY as error:
        raise RunFailed(_NOT_WRITTEN % {"version": card.version}) from error
    except BaseException:
        _remove(card)
        raise
    run.refresh_from_db()
    _forget_withdrawn(card)
    discard_refused(timezone.now())


def _forget_withdrawn(card: Card) -> None:
    """Forget the features of photos that were taken back while they were being learnt."""
    withdrawn = TrainingPhoto.objects.filter(version=card.version, withdrawn_at__isnull=False)
    for sha256 in withdrawn.values_list("photo_sha256", flat=True):
        unlearn_unless_allowed(sha256)


def _register(card: Card) -> ModelVersion:
    candidate = ModelVersion.objects.register(card)
    if candidate.weights_sha256 != card.weights_sha256:
        raise RunFailed(_NAME_TAKEN % {"version": card.version})
    return candidate


def _note_photos(candidate: ModelVersion, examples: Sequence[Example]) -> None:
    """Remember whose photos it learnt from; some may have been taken back during the training."""
    photos = sorted({example.sha256 for example in examples})
    allowed: set[str] = set()
    for start in range(0, len(photos), _AT_ONCE):
        some = Prediction.objects.filter(photo_sha256__in=photos[start : start + _AT_ONCE])
        allowed.update(some.to_learn_from().values_list("photo_sha256", flat=True))
    now = timezone.now()
    TrainingPhoto.objects.bulk_create(
        (
            TrainingPhoto(
                version=candidate,
                photo_sha256=sha256,
                withdrawn_at=None if sha256 in allowed else now,
            )
            for sha256 in photos
        ),
        batch_size=_AT_ONCE,
        ignore_conflicts=True,
    )
    candidate.withdrawn_photos = len(photos) - len(allowed)
    candidate.save(update_fields=["withdrawn_photos"])


def _promote_if_passed(
    candidate: ModelVersion, live: ModelVersion, refitted: "Refitted"
) -> tuple[str, str]:
    """Whether it went live, and if not, why."""
    verdict = refitted.verdict
    if not verdict.passed:
        return Outcome.REFUSED, " ".join(verdict.reasons())
    if broken := [check.name for check in verdict.checks if not _is_number(check.candidate)]:
        return Outcome.REFUSED, _FIGURES_BROKEN % {"checks": ", ".join(broken)}
    try:
        candidate.promote(by="retrain", instead_of=live)
    except PromotionError as error:
        return Outcome.REFUSED, str(error)
    return Outcome.PROMOTED, ""


def _is_number(figure: float | None) -> bool:
    return figure is None or math.isfinite(figure)


def _finite(value: Any) -> Any:
    """The same without NaN and infinity, which no database takes as JSON."""
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _remove(card: Card) -> None:
    """Drop a candidate's folder, unless the database knows it after all, or cannot say."""
    try:
        if ModelVersion.objects.filter(pk=card.version).exists():
            return
    except DatabaseError:
        return
    shutil.rmtree(settings.MODELS_DIR / card.version, ignore_errors=True)
