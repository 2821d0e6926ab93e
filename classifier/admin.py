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
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV
from import_export.resources import ModelResource

from classifier.bearers import TRUSTED_SECONDS
from classifier.classify import erase_prediction
from classifier.models import ApiToken, ModelVersion, Prediction, Promotion, Server
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


class HasFeedback(admin.SimpleListFilter):
    title = "feedback"
    parameter_name = "feedback"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("any", "given"), ("none", "none yet"), ("right", "right"), ("wrong", "wrong")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Prediction]
    ) -> QuerySet[Prediction]:
        match self.value():
            case "any":
                return queryset.filter(feedback__isnull=False).distinct()
            case "none":
                return queryset.filter(feedback__isnull=True)
            case "right" | "wrong" as opinion:
                return queryset.filter(feedback__agrees=opinion == "right").distinct()
        return queryset


class Confidence(admin.SimpleListFilter):
    title = "confidence"
    parameter_name = "confidence"
    _bands = {"70": (0, 0.7), "90": (0.7, 0.9), "99": (0.9, 0.99), "100": (0.99, 1.01)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        texts = ("below 70 %", "70 to 90 %", "90 to 99 %", "99 % and more")
        return list(zip(self._bands, texts, strict=True))

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Prediction]
    ) -> QuerySet[Prediction]:
        if self.value() not in self._bands:
            return queryset
        low, high = self._bands[str(self.value())]
        return queryset.filter(confidence__gte=low, confidence__lt=high)


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
    list_filter = ("answer", "version", HasFeedback, Confidence, "photo_format", "created_at")
    list_per_page = 50
    list_select_related = ("version",)
    show_full_result_count = False  # a count of millions on every page helps nobody
    search_fields = ("=id", "=photo_sha256", "=person")
    search_help_text = "A prediction's id, a photo's SHA-256, or a person."
    resource_classes = (PredictionResource,)
    formats = (CSV,)
    actions = ("erase",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        return super().get_queryset(request).prefetch_related(Prefetch("feedback"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [("picture", "heat"), *(field.name for field in Prediction._meta.fields), "paper"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["picture", "heat", *self.get_fields(request, obj)[1:]]

    @admin.display(description="photo")
    def thumbnail(self, prediction: Prediction) -> SafeString:
        return image_of(prediction, "admin-thumbnail", 64, "?small")

    @admin.display(description="photo")
    def picture(self, prediction: Prediction) -> SafeString:
        return image_of(prediction, "admin-picture", 320)

    @admin.display(description="what spoke for it")
    def heat(self, prediction: Prediction) -> SafeString:
        return image_of(prediction, "admin-picture", 320, "?whole", "heat")

    @admin.display(description="answer", ordering="answer")
    def told(self, prediction: Prediction) -> str:
        return prediction.answer

    @admin.display(description="confidence", ordering="confidence")
    def percent(self, prediction: Prediction) -> str:
        return f"{prediction.confidence:.2%}"

    @admin.display(description="feedback")
    def opinions(self, prediction: Prediction) -> str:
        return ", ".join(str(each) for each in prediction.feedback.all()) or "–"

    @admin.display(description="time", ordering="total_ms")
    def took(self, prediction: Prediction) -> str:
        return f"{prediction.total_ms:.0f} ms"

    @admin.display(description="receipt")
    def paper(self, prediction: Prediction) -> SafeString:
        return _as_text(prediction.receipt)

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("classifier.delete_prediction")

    @admin.action(description="Erase the selected predictions", permissions=["erase"])
    def erase(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> HttpResponse | None:
        """Django's own deleting would leave the photos behind."""
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "title": "Erase predictions",
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
        self.message_user(request, f"{len(predictions)} erased, with their photos and feedback.")
        return None


def _as_text(receipt: dict[str, Any]) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(receipt, indent=2, ensure_ascii=False))


def image_of(
    prediction: Prediction, css_class: str, height: int, query: str = "", name: str = "photo"
) -> SafeString:
    """A prediction's photo, or another picture of it by the name of its address."""
    if not prediction.photo_is_kept:
        return format_html("<span>erased</span>")
    return format_html(
        '<img src="{}{}" alt="" class="{}" height="{}" loading="lazy">',
        reverse(name, args=[prediction.pk]),
        query,
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

    @admin.display(description="labels")
    def known(self, version: ModelVersion) -> str:
        return ", ".join(version.labels)

    @admin.display(description="accuracy")
    def accuracy(self, version: ModelVersion) -> str:
        score = version.scores.get("accuracy")
        return f"{score:.2%}" if isinstance(score, float) else "–"

    @admin.action(description="Let the selected version answer from now on")
    def promote(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        if queryset.count() != 1:
            self.message_user(request, "Choose exactly one version.", messages.ERROR)
            return
        try:
            version = promote_version(queryset.get().name, by=request.user.get_username())
        except VersionError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"{version} is live; servers follow within seconds.")

    @admin.action(description="Go back to the version before")
    def roll_back(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        if [version.is_live for version in queryset] != [True]:
            self.message_user(request, "Choose the live version, and no other.", messages.ERROR)
            return
        try:
            version = roll_back_version(by=request.user.get_username())
        except (PromotionError, VersionError) as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"{version} is live again; servers follow within seconds.")

    @admin.display(description="receipt")
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

    @admin.display(description="lives", boolean=True)
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

    @admin.display(description="may")
    def scopes(self, token: ApiToken) -> str:
        return ", ".join(scope for scope in SCOPES if token.allows(scope)) or "nothing"

    def save_model(
        self, request: HttpRequest, obj: ApiToken, form: ModelForm, change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            self.message_user(request, _WITHIN)
            return
        issued, secret = ApiToken.objects.issue(**form.cleaned_data)
        obj.pk, obj.digest = issued.pk, issued.digest
        self.message_user(
            request,
            f"The token is {secret} . Copy it now: it is not shown again.",
            messages.WARNING,
        )

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False  # predictions name their token for ever: revoke it

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        count = queryset.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())
        self.message_user(request, f"{count} revoked. {_WITHIN}")


_WITHIN = f"Servers that took it a moment ago follow within {TRUSTED_SECONDS:.0f} seconds."
