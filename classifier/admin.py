"""Predictions, versions and tokens in the admin: what happened is read, never rewritten."""

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Prefetch, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV
from import_export.resources import ModelResource

from classifier.admin_filters import Confidence, HasFeedback, Named
from classifier.bearers import TRUSTED_SECONDS
from classifier.classify import erase_prediction
from classifier.models import ApiToken, ModelVersion, Prediction, Promotion, Server
from classifier.naming import label_name
from classifier.numerals import number, percent
from classifier.promoting import promote_version, roll_back_version
from classifier.tokens import SCOPES
from classifier.versions import PromotionError
from ml.registry import VersionError

# Of the predictions about to be erased.
_SHOWN = 20


class ReadOnly(admin.ModelAdmin):
    """An admin that shows and changes nothing."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PredictionResource(ModelResource):  # type: ignore[misc]  # it ships no types
    class Meta:
        model = Prediction
        fields = (
            *("id", "created_at", "person", "version", "answer", "label", "confidence", "novelty"),
            *("photo_sha256", "photo_format", "photo_width", "photo_height", "photo_bytes"),
            *("decode_ms", "inference_ms", "total_ms"),
        )
        export_order = fields


@admin.register(Prediction)
class PredictionAdmin(ExportMixin, ReadOnly):  # type: ignore[misc]  # it ships no types
    list_display = ("thumbnail", "told", "percent", "opinions", "version", "created_at", "took")
    list_display_links = ("thumbnail", "told")
    list_filter = (
        ("answer", Named),
        "version",
        HasFeedback,
        Confidence,
        "photo_format",
        "created_at",
    )
    list_per_page = 50
    list_select_related = ("version",)
    show_full_result_count = False  # a count of millions on every page helps nobody
    search_fields = ("=id", "=photo_sha256", "=person")
    search_help_text = gettext_lazy("A prediction's id, a photo's SHA-256, or a person.")
    resource_classes = (PredictionResource,)
    formats = (CSV,)
    actions = ("erase",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        return super().get_queryset(request).prefetch_related(Prefetch("feedback"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        shown = {"answer": "told", "label": "named"}
        names = (field.name for field in Prediction._meta.fields)
        return ["pictures", *(shown.get(name, name) for name in names), "paper"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    @admin.display(description=pgettext_lazy("column", "photo"))
    def thumbnail(self, prediction: Prediction) -> SafeString:
        return image_of(prediction, "admin-thumbnail", 64, "?small")

    @admin.display(description=pgettext_lazy("column", "photo, and what spoke for its answer"))
    def pictures(self, prediction: Prediction) -> SafeString:
        photo = image_of(prediction, "admin-picture", 240)
        if not prediction.photo_is_kept:
            return photo
        words = _("Heat map: what spoke for “%(label)s”.") % {"label": label_name(prediction.label)}
        heat = image_of(prediction, "admin-picture", 240, "?whole", "heat", words)
        return format_html("{} {}", photo, heat)

    @admin.display(description=pgettext_lazy("column", "answer"), ordering="answer")
    def told(self, prediction: Prediction) -> str:
        return label_name(prediction.answer)

    @admin.display(description=pgettext_lazy("column", "label"))
    def named(self, prediction: Prediction) -> str:
        return label_name(prediction.label)

    @admin.display(description=pgettext_lazy("column", "confidence"), ordering="confidence")
    def percent(self, prediction: Prediction) -> str:
        return percent(prediction.confidence, 2)

    @admin.display(description=pgettext_lazy("column", "feedback"))
    def opinions(self, prediction: Prediction) -> str:
        return ", ".join(str(each) for each in prediction.feedback.all()) or "–"

    @admin.display(description=pgettext_lazy("column", "time"), ordering="total_ms")
    def took(self, prediction: Prediction) -> str:
        return number(f"{prediction.total_ms:.0f} ms")

    @admin.display(description=pgettext_lazy("column", "receipt"))
    def paper(self, prediction: Prediction) -> SafeString:
        return _as_text(prediction.receipt)

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("classifier.delete_prediction")

    @admin.action(description=gettext_lazy("Erase the selected predictions"), permissions=["erase"])
    def erase(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> HttpResponse | None:
        """Django's own deleting would leave the photos behind."""
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "title": _("Erase predictions"),
                "opts": self.opts,
                "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
                "select_across": request.POST.get("select_across", "0"),
                "number": queryset.count(),
                "predictions": queryset[:_SHOWN],
            }
            return TemplateResponse(request, "classifier/erase_selected.html", context)
        predictions = list(queryset)
        for prediction in predictions:
            erase_prediction(prediction)
        words = ngettext(
            "%(count)s erased, with their photos and feedback.",
            "%(count)s erased, with their photos and feedback.",
            len(predictions),
        )
        self.message_user(request, words % {"count": len(predictions)})
        return None


def _as_text(receipt: dict[str, Any]) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(receipt, indent=2, ensure_ascii=False))


def image_of(
    prediction: Prediction,
    css_class: str,
    height: int,
    query: str = "",
    name: str = "photo",
    words: str = "",
) -> SafeString:
    """A prediction's photo, or another picture of it by the name of its address."""
    if not prediction.photo_is_kept:
        return format_html("<span>{}</span>", pgettext("photo", "erased"))
    return format_html(
        '<img src="{}{}" alt="{}" class="{}" height="{}" loading="lazy">',
        reverse(name, args=[prediction.pk]),
        query,
        words,
        css_class,
        height,
    )


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly):
    list_display = (
        *("name", "is_live", "known", "architecture", "accuracy"),
        *("trained_at", "promoted_at", "withdrawn_photos"),
    )
    actions = ("promote", "roll_back")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*(field.name for field in ModelVersion._meta.fields), "paper"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    @admin.display(description=pgettext_lazy("column", "labels"))
    def known(self, version: ModelVersion) -> str:
        return ", ".join(map(label_name, version.labels))

    @admin.display(description=pgettext_lazy("column", "accuracy"))
    def accuracy(self, version: ModelVersion) -> str:
        score = version.scores.get("accuracy")
        return percent(score, 2) if isinstance(score, float) else "–"

    def in_words(self, problem: Exception) -> str:
        """Why it cannot be done; `feedback.admin.versions` says it in the reader's language."""
        return str(problem)

    @admin.action(description=gettext_lazy("Let the selected version answer from now on"))
    def promote(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        if queryset.count() != 1:
            self.message_user(request, _("Choose exactly one version."), messages.ERROR)
            return
        try:
            version = promote_version(queryset.get().name, by=request.user.get_username())
        except VersionError as error:
            self.message_user(request, self.in_words(error), messages.ERROR)
        else:
            words = _("%(version)s is live; servers follow within seconds.")
            self.message_user(request, words % {"version": version})

    @admin.action(description=gettext_lazy("Go back to the version before"))
    def roll_back(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        if [version.is_live for version in queryset] != [True]:
            self.message_user(request, _("Choose the live version, and no other."), messages.ERROR)
            return
        try:
            version = roll_back_version(by=request.user.get_username())
        except (PromotionError, VersionError) as error:
            self.message_user(request, self.in_words(error), messages.ERROR)
        else:
            words = _("%(version)s is live again; servers follow within seconds.")
            self.message_user(request, words % {"version": version})

    @admin.display(description=pgettext_lazy("column", "receipt"))
    def paper(self, version: ModelVersion) -> SafeString:
        return _as_text(version.receipt)


@admin.register(Promotion)
class PromotionAdmin(ReadOnly):
    list_display = ("at", "version", "previous", "by", "is_rollback", "rolled_back_at")
    list_filter = ("is_rollback", "by")
    list_select_related = ("version", "previous")


@admin.register(Server)
class ServerAdmin(ReadOnly):
    list_display = ("host", "pid", "version", "lives", "problem", "started_at", "seen_at")

    @admin.display(description=pgettext_lazy("column", "lives"), boolean=True)
    def lives(self, server: Server) -> bool:
        return server.is_alive(timezone.now())


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Tokens: what each may do can be changed, its secret cannot be seen again."""

    list_display = ("name", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at")
    readonly_fields = ("revoked_at", "last_used_at")
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        chosen = ("name", *(f"may_{scope}" for scope in SCOPES), "expires_at")
        return (*chosen, "revoked_at", "last_used_at") if obj else chosen

    @admin.display(description=pgettext_lazy("column", "may"))
    def scopes(self, token: ApiToken) -> str:
        names = {
            "predict": pgettext("scope", "predict"),
            "feedback": pgettext("scope", "feedback"),
            "read": pgettext("scope", "read"),
            "erase": pgettext("scope", "erase"),
        }
        allowed = ", ".join(names[scope] for scope in SCOPES if token.allows(scope))
        return allowed or pgettext("a token may do", "nothing")

    def save_model(
        self, request: HttpRequest, obj: ApiToken, form: ModelForm, change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            self.message_user(request, _within())
            return
        issued, secret = ApiToken.objects.issue(**form.cleaned_data)
        obj.pk, obj.digest = issued.pk, issued.digest
        self.message_user(
            request,
            _("The token is %(secret)s . Copy it now: it is not shown again.") % {"secret": secret},
            messages.WARNING,
        )

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False  # predictions name their token for ever: revoke it

    @admin.action(description=gettext_lazy("Revoke the selected tokens"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        count = queryset.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())
        words = ngettext("%(count)s revoked.", "%(count)s revoked.", count) % {"count": count}
        self.message_user(request, f"{words} {_within()}")


def _within() -> str:
    words = _("Servers that took it a moment ago follow within %(seconds)s seconds.")
    return words % {"seconds": f"{TRUSTED_SECONDS:.0f}"}
