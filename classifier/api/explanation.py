"""The API's door to heat maps: as a picture or as numbers."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import renderers, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classifier.api.shapes import errors
from classifier.callers import visible_to
from classifier.errors import ApiError
from classifier.explaining import ExplainError, etag_of, explain, overlay_of, picture_of
from classifier.models import Prediction
from classifier.words import said
from ml.explain import Heat

_YES = {"1", "true", "yes"}


class PngRenderer(renderers.BaseRenderer):
    """Lets `?format=png` and `Accept: image/png` choose the picture."""

    media_type = "image/png"
    format = "png"
    charset = None
    render_style = "binary"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return bytes(data)


class CoveredSerializer(serializers.Serializer):
    """The part of the photo that was looked at, in its pixels, upright."""

    left = serializers.FloatField()
    top = serializers.FloatField()
    width = serializers.FloatField()
    height = serializers.FloatField()


class ExplanationSerializer(serializers.Serializer):
    """A heat map as numbers."""

    prediction = serializers.UUIDField()
    version = serializers.CharField(help_text="The version that answered, and was asked again.")
    label = serializers.CharField(help_text="What the heat speaks for.")  # type: ignore[assignment]
    where = serializers.CharField(
        help_text="Most of the heat: 'middle', 'upper left', 'right', 'everywhere', 'nowhere', …"
    )
    margin = serializers.FloatField(help_text="Log-odds of the label, before calibration.")
    covers = CoveredSerializer(help_text="The part of the photo that the values lie over.")
    rows = serializers.IntegerField()
    columns = serializers.IntegerField()
    values = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        help_text="Row by row, from 0 to 1; 1 is the strongest evidence for or against.",
    )


class ExplanationView(APIView):
    """What the version that answered looked at: a heat map over the photo."""

    renderer_classes = (PngRenderer, renderers.JSONRenderer)

    @extend_schema(
        parameters=[
            OpenApiParameter("label", str, description="Explain this label, not the answer's."),
            OpenApiParameter(
                "overlay", bool, description="The picture without the photo, to lay over it."
            ),
        ],
        responses={
            (200, "image/png"): OpenApiTypes.BINARY,
            (200, "application/json"): ExplanationSerializer,
            **errors(400, 401, 404, 503),
        },
    )
    def get(self, request: Request, pk: uuid.UUID) -> HttpResponse:
        prediction = get_object_or_404(visible_to(request), pk=pk)
        label = request.query_params.get("label", "") or prediction.label
        if label not in prediction.probabilities:
            known = ", ".join(sorted(prediction.probabilities))
            raise ApiError(
                gettext("Labels of this prediction are %(labels)s. Received: %(label)s")
                % {"labels": known, "label": repr(label)},
                code="unknown_label",
                field="label",
            )
        try:
            return self._answer(request, prediction, label)
        except ExplainError as error:
            raise ApiError(said(error), code="not_found", status_code=404) from error

    def _answer(self, request: Request, prediction: Prediction, label: str) -> HttpResponse:
        is_png = request.accepted_renderer.format == "png"
        alone = is_png and request.query_params.get("overlay", "").lower() in _YES
        heat = explain(prediction, label)
        etag = etag_of(prediction, label, is_png, alone)
        response = get_conditional_response(request._request, etag=etag)
        if response is None:
            response = Response(_as_json(prediction, heat))
            if is_png:
                draw = overlay_of if alone else picture_of
                response = HttpResponse(draw(prediction, heat), content_type="image/png")
        response["ETag"] = etag
        response["Cache-Control"] = "private, max-age=3600"
        return response

    def handle_exception(self, exc: Exception) -> Response:
        # An error is JSON, also where a picture was asked for.
        self.request.accepted_renderer = renderers.JSONRenderer()
        self.request.accepted_media_type = "application/json"
        return super().handle_exception(exc)


def _as_json(prediction: Prediction, heat: Heat) -> dict[str, Any]:
    width, height = prediction.photo_width, prediction.photo_height
    sides = (width, height, width, height)
    names = ("left", "top", "width", "height")
    covers = [round(share * side, 1) for share, side in zip(heat.box, sides, strict=True)]
    return {
        "prediction": prediction.pk,
        "version": prediction.version_id,
        "label": heat.label,
        "where": heat.where,
        "margin": round(heat.margin, 4),
        "covers": dict(zip(names, covers, strict=True)),
        "rows": heat.values.shape[0],
        "columns": heat.values.shape[1],
        "values": heat.values.round(4).tolist(),
    }
