"""Retrainings and replays in the admin: to read, and a button to retrain."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from classifier.admin import ReadOnly
from feedback.models import Replay, Run, TrainingRun
from feedback.retelling import retell
from feedback.retraining import rows_of

_VERDICT_HEADS = (
    *(pgettext_lazy("column", "check"), pgettext_lazy("column", "verdict")),
    *(pgettext_lazy("column", "candidate"), pgettext_lazy("column", "live")),
    *(pgettext_lazy("column", "limit"), pgettext_lazy("column", "in words")),
)


class RunAdmin(ReadOnly):
    """Runs, to read: they are started and cancelled on their pages."""

    date_hierarchy = "created_at"
    show_full_result_count = False

    @admin.display(description=pgettext_lazy("column", "step"))
    def at_present(self, run: Run) -> str:
        return retell(run.step) or "–"

    @admin.display(description=pgettext_lazy("column", "problem"))
    def why(self, run: Run) -> str:
        return retell(run.problem) or "–"

    @admin.display(description=pgettext_lazy("column", "on the site"))
    def page(self, run: Run) -> SafeString:
        address = reverse("run" if isinstance(run, TrainingRun) else "replay", args=[run.pk])
        return format_html('<a href="{}">{}</a>', address, _("progress and result"))


@admin.register(TrainingRun)
class TrainingRunAdmin(RunAdmin):
    list_display = ("created_at", "state", "outcome", "candidate", "live", "num_photos", "asked_by")
    list_filter = ("state", "outcome", "created_at")
    list_select_related = ("candidate", "live")
    exclude = ("verdict", "problem", "step")
    readonly_fields = ("at_present", "why", "judged", "page")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = {"may_start": request.user.has_perm("feedback.add_trainingrun")}
        return super().changelist_view(request, {**(extra_context or {}), **more})

    @admin.display(description=pgettext_lazy("column", "verdict"))
    def judged(self, run: TrainingRun) -> SafeString:
        rows = format_html_join(
            "",
            "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    retell(check["name"]),
                    pgettext("check", "✓ passed")
                    if check["passed"]
                    else pgettext("check", "✕ refused"),
                    *(retell(check[name]) for name in ("candidate", "live", "limit", "words")),
                )
                for check in rows_of(run)
            ),
        )
        heads = format_html_join("", "<th>{}</th>", ((head,) for head in _VERDICT_HEADS))
        return format_html("<table><tr>{}</tr>{}</table>", heads, rows) if rows else SafeString("–")


@admin.register(Replay)
class ReplayAdmin(RunAdmin):
    list_display = ("created_at", "version", "last", "state", "asked_by")
    list_filter = ("state", "version", "created_at")
    exclude = ("problem", "step")
    readonly_fields = ("at_present", "why", "page")
