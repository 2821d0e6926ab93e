"""The admin, under our name, and with patience for those who forgot their password."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from classifier.lockout import WAIT

_LOCKED_OUT = gettext_noop(
    "Nobody can log in under this name from your address just now. Wait %(minutes)s minutes."
)


class CatsDogsAdmin(admin.AdminSite):
    site_title = site_header = "catsdogs"
    index_title = _("Predictions, feedback and versions")

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().login(request, extra_context)
        if not getattr(request, "is_locked_out", False):
            return response
        minutes = int(WAIT.total_seconds() / 60)
        problem = gettext(_LOCKED_OUT) % {"minutes": minutes}
        page = render(request, "429.html", {"problem": problem}, status=429)
        page["Retry-After"] = str(int(WAIT.total_seconds()))
        return page
