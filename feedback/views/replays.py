"""Replays: what another version would have said of the last photos."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from classifier.models import ModelVersion
from feedback import replaying, tasks
from feedback.models import Replay
from feedback.replay_summary import changed
from feedback.views.runs import show_progress, took
from feedback.views.staff import StaffRequest, staff_only

_PER_PAGE, _PHOTOS_PER_PAGE = 20, 24


class ReplayForm(forms.Form):
    version = forms.ModelChoiceField(
        ModelVersion.objects.all(), label=_("Version"), empty_label=None
    )
    last = forms.IntegerField(
        label=_("Photos"), min_value=1, max_value=replaying.MOST, initial=replaying.DEFAULT_LAST
    )


@require_safe
@never_cache
@staff_only
def replays(request: StaffRequest) -> HttpResponse:
    chosen = request.GET.get("version")
    return _list(request, ReplayForm(initial={"version": chosen} if chosen else None))


@require_safe
@never_cache
@staff_only
def replay(request: StaffRequest, replay_id: uuid.UUID) -> HttpResponse:
    tasks.reap(timezone.now())
    found = get_object_or_404(Replay, pk=replay_id)
    if progress := show_progress(request, found):
        return progress
    context: dict[str, Any] = {"run": found, "summary": found.summary, "took": took(found)}
    if found.summary:
        context |= _gallery(request, found, _table(found.summary["matrix"]))
    return render(request, "feedback/replays_one.html", context)


@require_POST
@staff_only
def start(request: StaffRequest) -> HttpResponse:
    form = ReplayForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=422)
    by = request.user.get_username()
    try:
        asked, _goes_on = replaying.ask(form.cleaned_data["version"], form.cleaned_data["last"], by)
    except tasks.AlreadyRunning as error:
        return _see(error.run)
    tasks.start(asked)
    return _see(asked)


@require_POST
@staff_only
def cancel(request: StaffRequest, replay_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Replay, pk=replay_id)
    tasks.cancel(found)
    return _see(found)


def _see(run: Any) -> HttpResponse:
    response = redirect("replay", run.pk)
    response.status_code = 303  # the answer to a POST is found with a GET
    return response


def _list(request: StaffRequest, form: ReplayForm, status: int = 200) -> HttpResponse:
    tasks.reap(timezone.now())
    everything = Replay.objects.defer("log")
    page = Paginator(everything, _PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "feedback/replays.html", {"form": form, "page": page}, status=status)


def _gallery(request: StaffRequest, run: Replay, table: dict[str, Any]) -> dict[str, Any]:
    """The agreement matrix, and a page of the photos behind one of its cells, or behind all."""
    asked = {name: request.GET.get(name, "") for name in ("old", "new")}
    cell = {name: answer if answer in table["answers"] else "" for name, answer in asked.items()}
    photos = Paginator(changed(run, **cell), _PHOTOS_PER_PAGE)
    keep = f"{urlencode({name: answer for name, answer in cell.items() if answer})}&"
    page = photos.get_page(request.GET.get("page"))
    return {**cell, "table": table, "page": page, "keep": keep.removeprefix("&")}


def _table(matrix: dict[str, dict[str, int]]) -> dict[str, Any]:
    """The agreement matrix with every answer as a row and a column, zeros included."""
    answers = sorted({*matrix, *(new for row in matrix.values() for new in row)})
    rows = [
        (old, [(new, matrix.get(old, {}).get(new, 0), old == new) for new in answers])
        for old in answers
    ]
    return {"answers": answers, "rows": rows}
