"""What the API sends and takes, field by field: serializers, and an answer as JSON."""

import uuid
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request

from classifier.models import ModelVersion, Prediction


class ErrorSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="Short and stable: for programs.")
    detail = serializers.CharField(help_text="What was wrong, what was expected, what came in.")
    field = serializers.CharField(allow_null=True, help_text="The field at fault, if one is.")


class AnsweredBySerializer(serializers.Serializer):
    version = serializers.CharField(source="version_id")
    weights_sha256 = serializers.CharField(source="version.weights_sha256")


class PhotoSerializer(serializers.Serializer):
    sha256 = serializers.CharField(source="photo_sha256")
    width = serializers.IntegerField(source="photo_width")
    height = serializers.IntegerField(source="photo_height")
    format = serializers.CharField(source="photo_format")


class TimingsSerializer(serializers.Serializer):
    decode = serializers.FloatField()
    inference = serializers.FloatField()
    total = serializers.FloatField()


class LinksSerializer(serializers.Serializer):
    self = serializers.URLField()
    feedback = serializers.URLField()
    explanation = serializers.URLField(help_text="Heat map: what the version looked at.")
    receipt = serializers.URLField()


class PredictionSerializer(serializers.ModelSerializer):
    """An answer as the API gives it.

    Its fields are the schema; `as_json` is what is sent. Django REST framework would take 2 ms for
    the same, an eighth of what the whole answer costs.
    """

    probabilities = serializers.SerializerMethodField()
    model = AnsweredBySerializer(source="*")
    photo = PhotoSerializer(source="*")
    timings_ms = TimingsSerializer(source="*")
    logged = serializers.SerializerMethodField()
    links = LinksSerializer(source="*")

    class Meta:
        model = Prediction
        fields = (
            *("id", "answer", "label", "confidence", "probabilities", "novelty"),
            *("model", "photo", "timings_ms", "logged", "links", "created_at"),
        )

    def get_probabilities(self, prediction: Prediction) -> dict[str, float]:
        return dict(prediction.ranked)

    def get_logged(self, prediction: Prediction) -> str:
        return prediction.logged

    def to_representation(self, instance: Prediction) -> dict[str, Any]:
        return as_json(instance, self.context["request"])


def as_json(prediction: Prediction, request: Request | HttpRequest) -> dict[str, Any]:
    """An answer as the API gives it, field by field as `PredictionSerializer` declares them."""
    return {
        "id": str(prediction.pk),
        "answer": prediction.answer,
        "label": prediction.label,
        "confidence": prediction.confidence,
        "probabilities": dict(prediction.ranked),
        "novelty": prediction.novelty,
        "model": {
            "version": prediction.version_id,
            "weights_sha256": prediction.version.weights_sha256,
        },
        "photo": {
            "sha256": prediction.photo_sha256,
            "width": prediction.photo_width,
            "height": prediction.photo_height,
            "format": prediction.photo_format,
        },
        "timings_ms": {
            "decode": round(prediction.decode_ms, 1),
            "inference": round(prediction.inference_ms, 1),
            "total": round(prediction.total_ms, 1),
        },
        "logged": prediction.logged,
        "links": _links(prediction, request),
        "created_at": _TIME.to_representation(prediction.created_at),
    }


_TIME = serializers.DateTimeField()


def _links(prediction: Prediction, request: Request | HttpRequest) -> dict[str, str]:
    site, mount, key = (
        f"{request.scheme}://{request.get_host()}",
        get_script_prefix(),
        str(prediction.pk),
    )
    return {
        "self": site + _address("api-prediction", mount).replace(_ANY, key),
        "feedback": site + _address("api-feedback", mount),
        "explanation": site + _address("api-explanation", mount).replace(_ANY, key),
        "receipt": site + _address("api-receipt", mount).replace(_ANY, key),
    }


_ANY = str(uuid.UUID(int=0))


@lru_cache
def _address(name: str, mount: str) -> str:
    """An address with `_ANY` for the id; `mount` is the path that Django runs under."""
    return reverse(name, args=None if name == "api-feedback" else [_ANY])


class ReceiptModelSerializer(serializers.Serializer):
    version = serializers.CharField()
    weights_sha256 = serializers.CharField()
    files = serializers.DictField(
        child=serializers.CharField(), help_text="SHA-256 of each file that takes part."
    )
    data_digest = serializers.CharField(help_text="Of the photos it was trained on.")
    preprocessing = serializers.CharField(help_text="How photos are prepared.")
    thresholds = serializers.DictField(help_text="Limits and temperatures, from its card.")
    code_revision = serializers.CharField(allow_null=True)


class ReceiptPhotoSerializer(serializers.Serializer):
    sha256 = serializers.CharField()
    format = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    bytes = serializers.IntegerField()


class ReceiptTimingsSerializer(serializers.Serializer):
    decode = serializers.FloatField()
    inference = serializers.FloatField()
    total = serializers.FloatField()


class ReceiptSerializer(serializers.Serializer):
    """`Prediction.receipt`, for the schema."""

    id = serializers.UUIDField()
    answered_at = serializers.DateTimeField()
    answer = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # Field.label is its caption
    confidence = serializers.FloatField()
    probabilities = serializers.DictField(child=serializers.FloatField())
    novelty = serializers.FloatField(allow_null=True)
    photo = ReceiptPhotoSerializer()
    timings_ms = ReceiptTimingsSerializer()
    model = ReceiptModelSerializer()


class UploadSerializer(serializers.Serializer):
    image = serializers.FileField(help_text="JPEG, PNG, WebP, GIF (first frame), AVIF or HEIC.")


class BatchUploadSerializer(serializers.Serializer):
    image = serializers.ListField(
        child=serializers.FileField(), min_length=1, max_length=settings.PHOTO_MAX_BATCH
    )


class BatchSerializer(serializers.Serializer):
    results = serializers.ListField(
        child=serializers.DictField(), help_text="A prediction or an error each, in the order sent."
    )


class ModelVersionSerializer(serializers.ModelSerializer):
    version = serializers.CharField(source="name")
    live = serializers.BooleanField(source="is_live")

    class Meta:
        model = ModelVersion
        fields = (
            *("version", "live", "architecture", "labels", "scores", "data_digest"),
            *("weights_sha256", "trained_at", "promoted_at", "withdrawn_photos"),
        )


def errors(*statuses: int) -> dict[int, OpenApiResponse]:
    """The error answers of an endpoint, for its schema."""
    return {each: OpenApiResponse(ErrorSerializer) for each in statuses}
