"""What went wrong, to read; and what nobody wants to be told of for a while, to write."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from classifier.admin import ReadOnly
from monitoring.incidents import Incident, Message, Silence, rule_names


class MessageInline(admin.TabularInline):
    model = Message
    fields = ("channel", "kind", "sent_at", "tries", "problem")
    readonly_fields = fields
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Incident)
class IncidentAdmin(ReadOnly):
    list_display = ("said", "severity", "state", "noticed_at", "minutes", "measured", "told")
    list_filter = ("rule", "severity", "noticed_at")
    fields = (
        *("said", "severity", "rule", "measured", "to_do", "value", "limit", "photos"),
        *("noticed_at", "opened_at", "seen_at", "over_at"),
    )
    inlines = (MessageInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        return super().get_queryset(request).prefetch_related("messages")

    @admin.display(description=pgettext_lazy("column", "title"), ordering="title")
    def said(self, incident: Incident) -> str:
        return incident.said("title")

    @admin.display(description=pgettext_lazy("column", "words"))
    def measured(self, incident: Incident) -> str:
        return incident.said("words")

    @admin.display(description=pgettext_lazy("column", "what to do"))
    def to_do(self, incident: Incident) -> str:
        return incident.said("do")

    @admin.display(description=pgettext_lazy("column", "state"))
    def state(self, incident: Incident) -> str:
        if incident.over_at:
            return pgettext("incident", "over")
        if incident.opened_at:
            return pgettext("incident", "going on")
        return pgettext("incident", "noticed")

    @admin.display(description=pgettext_lazy("column", "minutes"))
    def minutes(self, incident: Incident) -> str:
        lasted = (incident.over_at or timezone.now()) - incident.noticed_at
        return f"{lasted.total_seconds() / 60:.0f}"

    @admin.display(description=pgettext_lazy("column", "told"))
    def told(self, incident: Incident) -> str:
        told = "; ".join(str(message) for message in incident.messages.all())
        return told or pgettext("told", "nobody")


class SilenceForm(forms.ModelForm):
    rule = forms.ChoiceField(
        choices=rule_names, required=False, label=pgettext_lazy("admin", "rule")
    )

    class Meta:
        model = Silence
        fields = ("rule", "since", "until", "why")


@admin.register(Silence)
class SilenceAdmin(admin.ModelAdmin):
    form = SilenceForm
    list_display = ("what", "since", "until", "is_in_force", "by", "why")
    list_filter = ("rule", "until")

    @admin.display(description=pgettext_lazy("column", "rule"), ordering="rule")
    def what(self, silence: Silence) -> str:
        return silence.rule or _("all rules")

    @admin.display(description=pgettext_lazy("column", "in force"), boolean=True)
    def is_in_force(self, silence: Silence) -> bool:
        return silence.since <= timezone.now() < silence.until

    def save_model(
        self, request: HttpRequest, obj: Silence, form: forms.ModelForm, change: bool
    ) -> None:
        obj.by = request.user.get_username()
        super().save_model(request, obj, form, change)
