"""Why an answer came about: the heat map over its photo, for whoever got it."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from classifier.callers import visible_to
from classifier.explaining import ExplainError, etag_of, explain, overlay_of, picture_of
from classifier.models import Prediction
from classifier.views import HtmxHttpRequest
from classifier.words import said

# Labels that one can ask about: of a hundred, those that came last explain nothing.
_ASKED = 5


@require_safe
def why(request: HtmxHttpRequest, prediction_id: uuid.UUID) -> HttpResponse:
    """The photo with its heat map, in words too; a part of the card for htmx, else a page."""
    prediction = get_object_or_404(visible_to(request), pk=prediction_id)
    label = _label(request, prediction)
    context: dict[str, Any] = {"prediction": prediction, "label": label}
    context["others"] = [name for name, _ in prediction.ranked[:_ASKED] if name != label]
    page = "classifier/why.html#why" if request.htmx else "classifier/why.html"
    try:
        context["heat"] = explain(prediction, label)
    except ExplainError as error:
        # For htmx too this is an answer: the place of the heat map says why there is none.
        status = 200 if request.htmx else 404
        return render(request, page, {**context, "problem": said(error)}, status=status)
    response = render(request, page, context)
    response["Vary"] = "HX-Request"  # a part of a page must not be shown as the page
    return response


@require_safe
def heat(request: HttpRequest, prediction_id: uuid.UUID) -> HttpResponse:
    """The heat map as a picture: to lay over the photo, or, with `?whole`, with the photo."""
    prediction = get_object_or_404(visible_to(request), pk=prediction_id)
    label, draw = _label(request, prediction), overlay_of
    if "whole" in request.GET:
        draw = picture_of
    etag = etag_of(prediction, label, draw.__name__)
    try:
        found = explain(prediction, label)
        response = get_conditional_response(request, etag=etag) or HttpResponse(
            draw(prediction, found), content_type="image/png"
        )
    except ExplainError as error:
        raise Http404(str(error)) from error
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _label(request: HttpRequest, prediction: Prediction) -> str:
    label = request.GET.get("label") or prediction.label
    if label not in prediction.probabilities:
        raise Http404("The answer has no such label.")
    return label
