"""The insights page: is all well, and what do the numbers look like."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from classifier.views import HtmxHttpRequest
from feedback.views.staff import staff_only
from monitoring.asked import Asked
from monitoring.findings import state
from monitoring.insights import board, digest
from monitoring.picker import Picker
from monitoring.plots import PLOTS

_View = Callable[..., HttpResponse]


def _staff_or_open(view: _View) -> _View:
    """For staff, or for everybody where the site is open about how it does."""
    for_staff = staff_only(view)

    @wraps(view)
    def guarded(request: HtmxHttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return (view if settings.INSIGHTS_OPEN else for_staff)(request, *args, **kwargs)

    return guarded


@require_safe
@never_cache
@_staff_or_open
def insights(request: HtmxHttpRequest) -> HttpResponse:
    """The page; to htmx only those of its parts that have changed, or its switch."""
    picker, now = Picker(request.GET), timezone.now()
    is_live = request.GET.get("live") != "off"
    context: dict[str, Any] = {"picker": picker, "is_live": is_live, "now": now}
    if request.htmx and request.htmx.target == "live":
        return render(request, "monitoring/insights.html#live", context)

    period, version = picker.period(now), picker.chosen_version
    shown = board(Asked(period, version), now)
    is_well = state(now)
    context |= {
        "period": period,
        "version": version,
        "state": is_well,
        "board": shown,
        "digests": {
            "headline": digest(is_well.headline),
            "state": digest(is_well),
            "tiles": digest(shown.tiles),
        },
        "had": set(request.GET.getlist("had")),
        "refreshing": bool(request.htmx),
    }
    page = "monitoring/_insights_changed.html" if request.htmx else "monitoring/insights.html"
    return render(request, page, context, status=200 if picker.is_valid() else 422)


@require_safe
@never_cache
@_staff_or_open
def as_csv(request: HtmxHttpRequest, name: str) -> HttpResponse:
    """The numbers of one plot: for programs, so the same in every language."""
    if name not in PLOTS:
        raise Http404(_("There is no plot %(name)s.") % {"name": name})
    picker = Picker(request.GET)
    if not picker.is_valid():
        words = "\n".join(str(words) for each in picker.errors.values() for words in each)
        return HttpResponse(words, status=422, content_type="text/plain; charset=utf-8")
    asked = Asked(picker.period(timezone.now()), picker.chosen_version)
    with translation.override(settings.LANGUAGE_CODE):
        written = PLOTS[name](asked).table.as_csv()
    return HttpResponse(
        written,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="catsdogs-{name}.csv"'},
    )
