"""The pages of the versions: read by everyone, acted on by staff."""

import re
from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from classifier.models import ModelVersion
from classifier.versions import PromotionError
from feedback.comparing import compare
from feedback.going_live import followers, go_back, make_live, version_before
from feedback.portraits import Portrait, portraits, with_history
from feedback.retelling import retell
from feedback.shelf import NAME, read_model_card, read_saved
from ml.registry import VersionError
from ml.report import FIGURES

_PER_PAGE = 20
# Matplotlib's figures carry their style inside; nothing else may happen in one, even opened alone.
_FIGURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    page = Paginator(with_history(), _PER_PAGE).get_page(request.GET.get("page"))
    live = ModelVersion.objects.live().first()
    context = {"page": page, "portraits": portraits(page), "live": live}
    return render(request, "feedback/models.html", {**context, **_for_staff(request, live)})


@require_safe
def detail(request: HttpRequest, name: str) -> HttpResponse:
    portrait = _portrait(name)
    live = ModelVersion.objects.live().first()
    context = {
        "portrait": portrait,
        "live": live,
        "figures": [(each, retell(FIGURES.get(each, each))) for each in portrait.folder.figures],
    }
    return render(request, "feedback/models_version.html", {**context, **_for_staff(request, live)})


@require_safe
def card(request: HttpRequest, name: str) -> HttpResponse:
    """The model card that lies in the version's folder."""
    version = get_object_or_404(ModelVersion, pk=name)
    text = read_model_card(version.name)
    if text is None:
        raise Http404(_("This version has no model card, or it was changed."))
    return render(request, "feedback/models_card.html", {"version": version, "text": text})


@require_safe
def figure(request: HttpRequest, name: str, figure_name: str) -> HttpResponse:
    """A figure that the version's card lists, as long as it is the one that was saved."""
    version = get_object_or_404(ModelVersion, pk=name)
    is_figure = figure_name.endswith(".svg")
    content = read_saved(version.name, figure_name) if is_figure else None
    if content is None:
        raise Http404(_("There is no such figure, or it was changed."))
    response = HttpResponse(content, content_type="image/svg+xml")
    response["Content-Security-Policy"] = _FIGURE_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "public, max-age=3600"
    return response


@require_safe
def comparison(request: HttpRequest) -> HttpResponse:
    """`?a=…&b=…`; without them, a form that asks which two."""
    a, b = (request.GET.get(side, "") for side in "ab")
    names = list(ModelVersion.objects.values_list("name", flat=True))
    context: dict[str, Any] = {"names": names, "a": a, "b": b}
    if a and b:
        context["both"] = [_portrait(a), _portrait(b)]
        context["compared"] = compare(*context["both"])
    else:  # the live one with the newest of the others would be a good start
        live = ModelVersion.objects.live().first()
        context["a"] = a or (live.name if live else "")
        context["b"] = b or next((name for name in names if name != context["a"]), "")
    return render(request, "feedback/models_compare.html", context)


@staff_member_required
@require_http_methods(["GET", "HEAD", "POST"])
def promote(request: HttpRequest, name: str) -> HttpResponse:
    """GET tells what will happen, POST does it; where that is no longer so, it is told anew."""
    portrait = _portrait(name)
    if request.method != "POST":
        return _confirm(request, portrait, is_rollback=False)
    try:
        make_live(portrait.version, by=_by(request), instead_of=request.POST.get("instead_of", ""))
    except (VersionError, PromotionError) as error:
        return _confirm(request, portrait, is_rollback=False, problem=retell(str(error)))
    return _done(portrait.version)


@staff_member_required
@require_http_methods(["GET", "HEAD", "POST"])
def roll_back(request: HttpRequest) -> HttpResponse:
    before = version_before()
    portrait = _portrait(before.name) if before else None
    if request.method != "POST":
        return _confirm(request, portrait, is_rollback=True)
    shown = _version(request.POST.get("version", ""))
    try:
        go_back(shown, by=_by(request), instead_of=request.POST.get("instead_of", ""))
    except (VersionError, PromotionError) as error:
        return _confirm(request, portrait, is_rollback=True, problem=retell(str(error)))
    return _done(shown)


@never_cache
@require_safe
def following(request: HttpRequest, name: str) -> HttpResponse:
    """How many servers answer with it: asked again and again until all do."""
    if not _is_staff(request):
        raise PermissionDenied(_("Only staff see the servers."))
    version = _version(name)
    now = followers(version.name)
    if version.is_live and request.GET.get("seen") == now.mark:
        return HttpResponse(status=204)  # nothing new: nothing to swap, nothing to say aloud
    context = {"version": version, "following": now}
    return render(request, "feedback/_models_following.html", context)


def _version(name: str) -> ModelVersion:
    # PostgreSQL would choke on a NUL before it could find nothing.
    if not re.fullmatch(NAME, name):
        raise Http404(_("No version has such a name."))
    return get_object_or_404(ModelVersion, pk=name)


def _portrait(name: str) -> Portrait:
    if not re.fullmatch(NAME, name):
        raise Http404(_("No version has such a name."))
    return portraits([get_object_or_404(with_history(), pk=name)])[0]


def _is_staff(request: HttpRequest) -> bool:
    return request.user.is_authenticated and request.user.is_staff


def _by(request: HttpRequest) -> str:
    return request.user.get_username()


def _for_staff(request: HttpRequest, live: ModelVersion | None) -> dict[str, Any]:
    if not _is_staff(request):
        return {}
    return {"before": version_before(), "following": followers(live.name if live else "")}


def _confirm(
    request: HttpRequest, portrait: Portrait | None, *, is_rollback: bool, problem: str = ""
) -> HttpResponse:
    live = with_history().live().first()
    now = portraits([live])[0] if live else None
    context = {
        "portrait": portrait,
        "now": now,
        "compared": compare(now, portrait) if now and portrait else None,
        "is_rollback": is_rollback,
        "problem": problem,
    }
    status = 409 if problem else 200
    return render(request, "feedback/models_confirm.html", context, status=status)


def _done(version: ModelVersion) -> HttpResponse:
    response = redirect("model", version.name)
    response.status_code = 303  # the answer to a POST is found with a GET
    return response
