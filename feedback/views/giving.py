"""Feedback from the page: a click, a thank-you in its place."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from classifier.callers import person_of, visible_to
from classifier.models import Prediction
from classifier.throttling import admit_feedback
from classifier.views import HtmxHttpRequest
from feedback import giving
from feedback.forms import FeedbackForm, MayLearnForm
from feedback.giving import FeedbackError, give_feedback, withdraw_feedback
from feedback.models import Feedback


@require_POST
def give(request: HtmxHttpRequest, prediction_id: uuid.UUID) -> HttpResponse:
    admit_feedback(request)
    prediction = get_object_or_404(visible_to(request), pk=prediction_id)
    return _keep(request, prediction, can_undo=True)


def _keep(request: HtmxHttpRequest, prediction: Prediction, *, can_undo: bool) -> HttpResponse:
    """Keep what the form says of a prediction, and thank for it or say why not."""
    context: dict[str, Any] = {"prediction": prediction, "choices": prediction.choices}
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        problem = " ".join(str(text) for texts in form.errors.values() for text in texts)
        return _refused(request, {**context, "problem": problem})
    person = person_of(request)
    context |= {"can_undo": can_undo, "before": _said_by(person, prediction)}
    try:
        context["feedback"], _first = give_feedback(prediction, person=person, **form.cleaned_data)
    except FeedbackError as error:
        return _refused(request, {**context, "problem": str(error)})

    return _thanked(request, context)


@require_POST
def undo(request: HtmxHttpRequest, prediction_id: uuid.UUID) -> HttpResponse:
    """Take back a click: what was said before it, which the form sends, counts again."""
    prediction = get_object_or_404(visible_to(request), pk=prediction_id)
    if request.POST.keys() & {"label", "correct"}:
        return _keep(request, prediction, can_undo=False)
    withdraw_feedback(prediction, person_of(request))
    context = {"prediction": prediction, "choices": prediction.choices, "undone": True}
    return _thanked(request, context)


@require_POST
def answer_consent(request: HtmxHttpRequest, prediction_id: uuid.UUID) -> HttpResponse:
    """The answer to "May I learn from the photos you tell me about?", asked once."""
    own = Feedback.objects.by(person_of(request)).on_their_own_photo()
    feedback = get_object_or_404(own.select_related("prediction"), prediction=prediction_id)
    prediction = feedback.prediction
    context = {"prediction": prediction, "choices": prediction.choices, "feedback": feedback}
    form = MayLearnForm(request.POST)
    if not form.is_valid():
        return _refused(request, {**context, "problem": _("Say yes or no.")})
    giving.answer_consent(feedback, form.cleaned_data["may_learn"])
    return _thanked(request, context)


def _said_by(person: str, prediction: Prediction) -> Feedback | None:
    return Feedback.objects.by(person).filter(prediction=prediction).first()


def _thanked(request: HtmxHttpRequest, context: dict[str, Any]) -> HttpResponse:
    if not request.htmx:
        response = redirect(context["prediction"])
        response.status_code = 303  # the answer to a POST is found with a GET
        return response
    return render(request, "feedback/_ask.html", context)


def _refused(request: HtmxHttpRequest, context: dict[str, Any]) -> HttpResponse:
    page = "feedback/_ask.html" if request.htmx else "classifier/home.html"
    return render(request, page, context, status=422)
