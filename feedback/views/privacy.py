"""What we keep of whoever asks, and their say in it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from classifier.callers import person_of
from classifier.visitors import remember_visitor
from feedback import consent
from feedback.forms import MayLearnForm

_PAGE = "feedback/privacy.html"


@require_safe
@never_cache
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, _PAGE, _context(request))


@require_POST
def set_consent(request: HttpRequest) -> HttpResponse:
    """Give consent for all of one's photos, or take it back."""
    form = MayLearnForm(request.POST)
    if not form.is_valid():
        context = {**_context(request), "problem": _("Say yes or no.")}
        return render(request, _PAGE, context, status=422)
    remember_visitor(request)
    if form.cleaned_data["may_learn"]:
        consent.consent_to_all(person_of(request))
        messages.success(request, _("Thank you! I may learn from the photos you tell me about."))
    else:
        consent.take_back_all(person_of(request))
        messages.success(request, _("Taken back: I learn from none of your photos any more."))
    return _back()


@require_POST
def erase(request: HttpRequest) -> HttpResponse:
    """Erase all that we keep of whoever asks."""
    if person := _known_person(request):
        consent.erase_all(person)
    messages.success(request, _("Erased: nothing of yours is left here."))
    return _back()


def _context(request: HttpRequest) -> dict[str, object]:
    person = _known_person(request)
    return {
        "kept": consent.kept_of(person),
        "may_learn": consent.remembered(person),
    }


def _known_person(request: HttpRequest) -> str:
    """Whoever asks, by account or cookie; nobody by an address alone: many may share it."""
    person = person_of(request)
    return "" if person.startswith("address:") else person


def _back() -> HttpResponse:
    response = redirect("privacy")
    response.status_code = 303  # the answer to a POST is found with a GET
    return response
