"""The review queue: one photo after another, for staff."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from classifier.models import Prediction
from classifier.naming import label_name
from feedback import review as queue
from feedback.review import ReviewError, UnknownLabel
from feedback.views.staff import StaffRequest, staff_only
from ml.inference import NEITHER

_SKIPPED = "skipped_photos"
_MOST_SKIPPED = 500  # a session has to stay small
_LEAVE_OUT_KEY, _SKIP_KEY, _UNDO_KEY = "x", "s", "u"


@require_safe
@never_cache
@staff_only
def review(request: StaffRequest) -> HttpResponse:
    return _show(request)


@require_POST
@staff_only
def decide(request: StaffRequest, prediction_id: uuid.UUID) -> HttpResponse:
    prediction = Prediction.objects.filter(pk=prediction_id).first()
    if prediction is None:
        return _go_on(request, _("That photo has been erased meanwhile. On to the next one."))
    try:
        if "label" not in request.POST:
            raise UnknownLabel(_("Choose what the photo shows."))
        label = queue.decide(prediction, request.user, request.POST["label"])
    except UnknownLabel as error:
        return _show(request, problem=str(error), status=422)
    except ReviewError as error:
        return _go_on(request, str(error))
    noted = _("Noted: %(label)s.") % {"label": label_name(label)}
    return _go_on(request, noted if label else _("Left out."))


@require_POST
@staff_only
def skip(request: StaffRequest, prediction_id: uuid.UUID) -> HttpResponse:
    if prediction := Prediction.objects.filter(pk=prediction_id).first():
        queue.release(prediction, request.user)
        skipped = [each for each in _skipped(request) if each != prediction.photo_sha256]
        request.session[_SKIPPED] = [*skipped, prediction.photo_sha256][-_MOST_SKIPPED:]
    return _go_on(request, _("Skipped: it comes back at the end."))


@require_POST
@staff_only
def undo(request: StaffRequest) -> HttpResponse:
    undone = queue.undo(request.user)
    notice = _("Undone: decide again.") if undone else _("There is nothing to undo.")
    return _go_on(request, notice)


def keys_for(labels: list[str]) -> list[tuple[str, str]]:
    """Labels with the key for each: its first letter if no other has it, else its number."""
    firsts = [label[:1].casefold() for label in labels]
    taken = {_LEAVE_OUT_KEY, _SKIP_KEY, _UNDO_KEY}
    keys = []
    for number, first in enumerate(firsts, start=1):
        is_on_keyboards = first.isascii() and first.isalpha()
        is_free = first not in taken and firsts.count(first) == 1
        keys.append(first if is_on_keyboards and is_free else str(number) if number < 10 else "")
    return list(zip(labels, keys, strict=True))


def _choices() -> list[tuple[str, str]]:
    """What may be said, each with its key: by the words that the buttons show."""
    labels = queue.choices()
    keys = [key for _name, key in keys_for([label_name(label) for label in labels])]
    return list(zip(labels, keys, strict=True))


def _show(request: StaffRequest, status: int = 200, **words: str) -> HttpResponse:
    claim = queue.claim_next(request.user, _skipped(request))
    context: dict[str, Any] = {
        "prediction": claim and claim.prediction,
        "opinions": queue.opinions_on(claim.prediction) if claim else [],
        "choices": _choices(),
        "neither": NEITHER,
        "left": queue.left_to(request.user),
        "last": queue.last_decision(request.user),
        "photos_a_day": settings.FEEDBACK_PER_DAY,
        **words,
    }
    page = "feedback/review.html#review" if request.htmx else "feedback/review.html"
    return render(request, page, context, status=status)


def _go_on(request: StaffRequest, notice: str) -> HttpResponse:
    if request.htmx:
        return _show(request, notice=notice)
    messages.info(request, notice)
    response = redirect("review")
    response.status_code = 303  # the answer to a POST is found with a GET
    return response


def _skipped(request: StaffRequest) -> list[str]:
    return list(request.session.get(_SKIPPED, []))
