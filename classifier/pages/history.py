"""A person's history: their photos with the answers, to look at again or to erase."""

import contextlib
import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from classifier.callers import person_of
from classifier.classify import erase_prediction
from classifier.history import SAID, History, Wanted
from classifier.models import Prediction
from classifier.views import HtmxHttpRequest

# Pages that come by themselves while one scrolls; then the end of the page is in reach again.
_BY_THEMSELVES = 5


@require_safe
@never_cache
def history(request: HtmxHttpRequest) -> HttpResponse:
    past, wanted = History(person_of(request)), _wanted(request)
    before, number = _before(request), _number(request)
    shown = past.page(wanted, before)
    context: dict[str, Any] = {
        "entries": shown.entries,
        "older": shown.last and _address(wanted, before=shown.last, page=number + 1),
        "comes_by_itself": number < _BY_THEMSELVES,
        "wanted": wanted,
        "query": urlencode(wanted.query),
        "before": before,
    }
    if request.htmx:  # only for older ones
        return render(request, "classifier/history.html#entries", context)
    context["answers"] = [
        (answer, _address(Wanted(answer, wanted.said))) for answer in ("", *past.answers())
    ]
    context["sayings"] = [
        (said, words, _address(Wanted(wanted.answer, said)))
        for said, words in {"": "", **SAID}.items()
    ]
    return render(request, "classifier/history.html", context)


@require_POST
def erase(request: HtmxHttpRequest, prediction_id: uuid.UUID) -> HttpResponse:
    """Erase one answer with its photo; a second time changes nothing."""
    found = History(person_of(request)).own.filter(pk=prediction_id).first()
    if found:
        erase_prediction(found)
    elif Prediction.objects.filter(pk=prediction_id).exists():
        raise Http404("It is someone else's.")
    if request.htmx:
        return HttpResponse()  # htmx takes the entry away
    messages.success(request, gettext("Erased: the photo and my answer are gone."))
    response = redirect(_address(_wanted(request)))
    response.status_code = 303  # the answer to a POST is found with a GET
    return response


def _wanted(request: HttpRequest) -> Wanted:
    said = request.GET.get("said", "")
    answer = request.GET.get("answer", "").replace("\0", "")  # PostgreSQL would choke on it
    return Wanted(answer, said if said in SAID else "")


def _before(request: HttpRequest) -> uuid.UUID | None:
    with contextlib.suppress(ValueError):
        return uuid.UUID(request.GET.get("before", ""))
    return None


def _number(request: HttpRequest) -> int:
    page = request.GET.get("page", "")
    return int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1


def _address(wanted: Wanted, **more: object) -> str:
    query = urlencode({**wanted.query, **more})
    return f"{reverse('history')}?{query}" if query else reverse("history")
