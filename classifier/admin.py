"""Predictions, versions and tokens in the admin: what happened is read, never rewritten."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV
from import_export.resources import ModelResource

from classifier.models import ApiToken, ModelVersion, Prediction


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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        return super().get_queryset(request).prefetch_related(Prefetch("feedback"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["picture", *(field.name for field in Prediction._meta.fields)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    @admin.display(description="photo")
    def thumbnail(self, prediction: Prediction) -> SafeString:
        return _image(prediction, "admin-thumbnail", 64)

    @admin.display(description="photo")
    def picture(self, prediction: Prediction) -> SafeString:
        return _image(prediction, "admin-picture", 320)

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


def _image(prediction: Prediction, css_class: str, height: int) -> SafeString:
    if not prediction.photo_is_kept:
        return format_html("<span>erased</span>")
    return format_html(
        '<img src="{}" alt="" class="{}" height="{}" loading="lazy">',
        reverse("photo", args=[prediction.pk]),
        css_class,
        height,
    )


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly):
    list_display = (
        *("name", "is_live", "known", "architecture", "accuracy"),
        *("trained_at", "promoted_at"),
    )
    actions = ("promote",)

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
        version = queryset.get()
        version.promote()
        self.message_user(request, f"{version} is live; servers follow within seconds.")


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    list_display = ("name", "created_at", "revoked_at")
    fields = ("name",)
    actions = ("revoke",)

    def save_model(
        self, request: HttpRequest, obj: ApiToken, form: ModelForm, change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        issued, secret = ApiToken.objects.issue(obj.name)
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
        self.message_user(request, f"{count} revoked.")
