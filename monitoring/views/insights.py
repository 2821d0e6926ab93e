"""The insights page: is all well, and what do the numbers look like."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from classifier.views import HtmxHttpRequest
from monitoring.asked import Asked
from monitoring.findings import state
from monitoring.insights import board, digest
from monitoring.picker import Picker
from monitoring.plots import PLOTS

_View = Callable[..., HttpResponse]


def _staff_or_open(view: _View) -> _View:
    """Send whoever may not see it to log in, and htmx along: it would swap the form into a page."""

    @wraps(view)
    def guarded(request: HtmxHttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if settings.INSIGHTS_OPEN or (request.user.is_active and request.user.is_staff):
            return view(request, *args, **kwargs)
        if request.htmx:
            back = request.htmx.current_url_abs_path or reverse("insights")
            return HttpResponseClientRedirect(redirect_to_login(back, reverse("admin:login")).url)
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))

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
    """The numbers of one plot."""
    if name not in PLOTS:
        raise Http404(f"There is no plot {name!r}.")
    picker = Picker(request.GET)
    if not picker.is_valid():
        words = "\n".join(str(words) for each in picker.errors.values() for words in each)
        return HttpResponse(words, status=422, content_type="text/plain; charset=utf-8")
    plot = PLOTS[name](Asked(picker.period(timezone.now()), picker.chosen_version))
    return HttpResponse(
        plot.table.as_csv(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="catsdogs-{name}.csv"'},
    )
