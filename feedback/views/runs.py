"""Retrainings: what there is to learn, how far one is, what came of it."""

import uuid

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from feedback import retraining, tasks
from feedback.models import Run, TrainingRun
from feedback.retelling import retell
from feedback.views.staff import StaffRequest, staff_only

_PER_PAGE = 20


@require_safe
@never_cache
@staff_only
def runs(request: StaffRequest) -> HttpResponse:
    return _list(request)


@require_safe
@never_cache
@staff_only
def run(request: StaffRequest, run_id: uuid.UUID) -> HttpResponse:
    tasks.reap(timezone.now())
    found = get_object_or_404(TrainingRun.objects.select_related("live", "candidate"), pk=run_id)
    # What was refused comes first; a dozen slices that passed need not all be read.
    rows = sorted(retraining.rows_of(found), key=lambda check: bool(check["passed"]))
    slices = [check for check in rows if check["passed"] and check["name"].startswith("slice")]
    checks = [check for check in rows if check not in slices]
    context = {"run": found, "checks": checks, "slices": slices, "took": took(found)}
    return show_progress(request, found) or render(request, "feedback/runs_one.html", context)


@require_POST
@staff_only
def start(request: StaffRequest) -> HttpResponse:
    try:
        asked = retraining.ask(request.user.get_username(), force="force" in request.POST)
    except tasks.AlreadyRunning as error:
        return _list(request, problem=retell(str(error)), status=409)
    tasks.start(asked)
    return _see("run", asked)


@require_POST
@staff_only
def cancel(request: StaffRequest, run_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(TrainingRun, pk=run_id)
    tasks.cancel(found)
    return _see("run", found)


def show_progress(request: StaffRequest, run: Run) -> HttpResponse | None:
    """What htmx asks for every two seconds; the whole page again once the run has ended."""
    if not request.htmx:
        return None
    if run.is_finished:
        return HttpResponseClientRefresh()
    return render(request, "feedback/_runs_progress.html", {"run": run})


def took(run: Run) -> str:
    """How long a run worked, such as "1 min 40 s"; empty before its end."""
    if run.started_at is None or run.finished_at is None:
        return ""
    seconds = round((run.finished_at - run.started_at).total_seconds())
    if seconds < 60:
        return _("%(seconds)s s") % {"seconds": seconds}
    return _("%(minutes)s min %(seconds)s s") % {"minutes": seconds // 60, "seconds": seconds % 60}


def _see(page: str, run: Run) -> HttpResponse:
    response = redirect(page, run.pk)
    response.status_code = 303  # the answer to a POST is found with a GET
    return response


def _list(request: StaffRequest, problem: str = "", status: int = 200) -> HttpResponse:
    tasks.reap(timezone.now())
    everything = TrainingRun.objects.select_related("live", "candidate").defer("log", "verdict")
    context = {
        "page": Paginator(everything, _PER_PAGE).get_page(request.GET.get("page")),
        "going_on": TrainingRun.objects.unfinished().first(),
        "outlook": retraining.outlook(),
        "problem": problem,
    }
    return render(request, "feedback/runs.html", context, status=status)
