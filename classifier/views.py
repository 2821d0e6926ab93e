"""The pages: send a photo, see the answer."""

import uuid
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.middleware import HtmxDetails

from classifier import journal, serving, storage
from classifier.callers import person_of, visible_to
from classifier.classify import classify_photo, erase_prediction
from classifier.forms import PhotoForm
from classifier.models import Prediction
from classifier.refusals import count_refusal
from classifier.throttling import admit_photos
from classifier.visitors import remember_visitor
from ml.photos import as_jpeg, decode_photo

_SHOWN_SIDE, _SMALL_SIDE = 640, 320  # pixels


class HtmxHttpRequest(HttpRequest):
    htmx: HtmxDetails


def site(request: HttpRequest) -> dict[str, Any]:
    """What each page shows: context processor."""
    return {
        "site_version": serving.live_version(),
        "photo_keep_days": settings.PHOTO_KEEP_DAYS,
        "max_megabytes": settings.PHOTO_MAX_BYTES // 1_000_000,
        "labels": serving.labels(),
    }


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    context = {"form": PhotoForm(), "erased": "erased" in request.GET}
    return render(request, "classifier/home.html", context)


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it on pages that name no icon: the admin's."""
    return redirect(static("logo.svg"))


@require_safe
@never_cache
def visitor(request: HtmxHttpRequest) -> HttpResponse:
    """One name for a browser whose photos leave together, and a fresh CSRF token.

    Photos that were sent at once without a session would each make one. No crawler gets any: they
    do not say that they are our script.
    """
    if not request.htmx:
        raise Http404("This is for the page's own script.")
    remember_visitor(request)
    return JsonResponse({"token": get_token(request)})


@require_POST
def classify(request: HtmxHttpRequest) -> HttpResponse:
    admit_photos(request)
    page = "classifier/_card.html" if request.htmx else "classifier/home.html"
    form = PhotoForm(request.POST, request.FILES)
    if not form.is_valid():
        for code in form.refusals:
            count_refusal(code)
        return render(request, page, {"form": form}, status=422)

    remember_visitor(request)
    logged = classify_photo(form.cleaned_data["photo"], person=person_of(request))
    context = {"form": PhotoForm(), "prediction": logged, "choices": logged.choices}
    return render(request, page, context, status=201 if logged.logged == logged.STORED else 200)


@require_safe
def prediction(request: HttpRequest, prediction_id: uuid.UUID) -> HttpResponse:
    """An answer again: where feedback without JavaScript leads back to, and a link to keep."""
    logged = get_object_or_404(visible_to(request), pk=prediction_id)
    context = {
        "form": PhotoForm(),
        "prediction": logged,
        "choices": logged.choices,
        "feedback": logged.feedback.filter(person=person_of(request)).first(),
    }
    return render(request, "classifier/home.html", context)


@require_safe
def receipt(request: HttpRequest, prediction_id: uuid.UUID) -> HttpResponse:
    """What made an answer so, for whoever got it: the API's receipt, without a token."""
    logged = get_object_or_404(visible_to(request), pk=prediction_id)
    return JsonResponse(logged.receipt, json_dumps_params={"indent": 2, "ensure_ascii": False})


@require_POST
def erase(request: HtmxHttpRequest, prediction_id: uuid.UUID) -> HttpResponse:
    """Erase an answer with its photo, for whoever got it; a second time changes nothing."""
    journal.settle(prediction_id)
    logged = visible_to(request).filter(pk=prediction_id).first()
    if logged:
        erase_prediction(logged)
    elif Prediction.objects.filter(pk=prediction_id).exists():
        raise Http404("It is someone else's.")
    if request.htmx:
        return render(request, "classifier/_card.html", {"erased": True})
    response = redirect(f"{reverse('home')}?erased")
    response.status_code = 303  # the answer to a POST is found with a GET
    return response


@require_safe
def photo(request: HttpRequest, prediction_id: uuid.UUID) -> HttpResponse:
    """A kept photo, drawn anew: upright, without its metadata; with `?small`, for a list."""
    logged = get_object_or_404(visible_to(request), pk=prediction_id)
    data = storage.read(logged.photo_sha256)
    if data is None:
        raise Http404("The photo has been erased.")
    pixels = decode_photo(data, max_pixels=settings.PHOTO_MAX_PIXELS).pixels
    side = _SMALL_SIDE if "small" in request.GET else _SHOWN_SIDE
    response = HttpResponse(as_jpeg(pixels, side), content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=3600"
    response["Content-Disposition"] = (
        'inline; filename="photo.jpg"'  # a name of ours, not of theirs
    )
    return response
