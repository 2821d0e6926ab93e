"""What went wrong, to read; and what nobody wants to be told of for a while, to write."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

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
    list_display = ("title", "severity", "state", "noticed_at", "minutes", "words", "told")
    list_filter = ("rule", "severity", "noticed_at")
    fields = (
        *("title", "severity", "rule", "words", "do", "value", "limit", "photos"),
        *("noticed_at", "opened_at", "seen_at", "over_at"),
    )
    inlines = (MessageInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        return super().get_queryset(request).prefetch_related("messages")

    @admin.display(description="state")
    def state(self, incident: Incident) -> str:
        if incident.over_at:
            return "over"
        return "going on" if incident.opened_at else "noticed"

    @admin.display(description="minutes")
    def minutes(self, incident: Incident) -> str:
        lasted = (incident.over_at or timezone.now()) - incident.noticed_at
        return f"{lasted.total_seconds() / 60:.0f}"

    @admin.display(description="told")
    def told(self, incident: Incident) -> str:
        return "; ".join(str(message) for message in incident.messages.all()) or "nobody"


class SilenceForm(forms.ModelForm):
    rule = forms.ChoiceField(choices=rule_names, required=False)

    class Meta:
        model = Silence
        fields = ("rule", "since", "until", "why")


@admin.register(Silence)
class SilenceAdmin(admin.ModelAdmin):
    form = SilenceForm
    list_display = ("what", "since", "until", "is_in_force", "by", "why")
    list_filter = ("rule", "until")

    @admin.display(description="rule", ordering="rule")
    def what(self, silence: Silence) -> str:
        return silence.rule or "all rules"

    @admin.display(description="in force", boolean=True)
    def is_in_force(self, silence: Silence) -> bool:
        return silence.since <= timezone.now() < silence.until

    def save_model(
        self, request: HttpRequest, obj: Silence, form: forms.ModelForm, change: bool
    ) -> None:
        obj.by = request.user.get_username()
        super().save_model(request, obj, form, change)
