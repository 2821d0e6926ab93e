"""The API's doors to logged predictions: the list, one of them, its receipt."""

import re
import uuid
from datetime import UTC, datetime
from typing import Any

import django_filters
from django.core.validators import MaxValueValidator, MinValueValidator
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classifier.api.shapes import PredictionSerializer, ReceiptSerializer, errors
from classifier.callers import visible_to
from classifier.classify import erase_prediction
from classifier.errors import ApiError
from classifier.models import Prediction, PredictionQuerySet

# The first and the last hours of the calendar overflow once a time zone is taken off them.
_PLAUSIBLE = [
    MinValueValidator(datetime(1970, 1, 1, tzinfo=UTC)),
    MaxValueValidator(datetime(2999, 1, 1, tzinfo=UTC)),
]


class PredictionFilter(django_filters.FilterSet):  # type: ignore[misc]  # it ships no types
    version = django_filters.CharFilter(field_name="version_id")
    has_feedback = django_filters.ChoiceFilter(
        choices=[("true", "true"), ("false", "false")], method="filter_feedback"
    )
    since = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="gte", validators=_PLAUSIBLE
    )
    until = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="lt", validators=_PLAUSIBLE
    )

    class Meta:
        model = Prediction
        fields = ("label", "answer")

    def filter_feedback(
        self, predictions: PredictionQuerySet, name: str, value: str
    ) -> PredictionQuerySet:
        if value == "true":
            return predictions.with_feedback()
        return predictions.without_feedback()


class NewestFirst(CursorPagination):
    ordering = "-id"  # version 7 UUIDs sort by time
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get("page_size", "") or str(self.page_size)
        # 20.0 is a whole number too, says JSON Schema.
        number = re.fullmatch(r"0*([1-9][0-9]{0,8})(\.0+)?", asked)
        if number is None:
            raise ApiError(
                gettext("A number from 1 to %(most)s is expected. Received: %(value)s")
                % {"most": self.max_page_size, "value": repr(asked[:20])},
                code="invalid",
                field="page_size",
            )
        return min(int(number[1]), self.max_page_size)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] = {"type": "integer", "minimum": 1}
                parameter["description"] = f"More than {self.max_page_size} are never given."
        return parameters


@extend_schema_view(
    get=extend_schema(responses={200: PredictionSerializer, **errors(400, 401, 404)})
)
class PredictionListView(generics.ListAPIView):
    """Logged predictions, newest first: staff see all, others their own."""

    queryset = Prediction.objects.none()  # tells the schema its type
    serializer_class = PredictionSerializer
    filterset_class = PredictionFilter
    pagination_class = NewestFirst

    def get_queryset(self) -> PredictionQuerySet:
        return visible_to(self.request)


@extend_schema_view(
    get=extend_schema(responses={200: PredictionSerializer, **errors(401, 404)}),
    delete=extend_schema(responses={204: None, **errors(401, 404)}),
)
class PredictionView(generics.RetrieveDestroyAPIView):
    """One logged prediction. Deleting it erases its photo and its feedback too."""

    queryset = Prediction.objects.none()
    serializer_class = PredictionSerializer

    def get_queryset(self) -> PredictionQuerySet:
        return visible_to(self.request)

    def perform_destroy(self, instance: Prediction) -> None:
        erase_prediction(instance)


class ReceiptView(APIView):
    """What made an answer so: the version with its weights, thresholds and code, and the photo."""

    @extend_schema(responses={200: ReceiptSerializer, **errors(401, 404)})
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return Response(get_object_or_404(visible_to(request), pk=pk).receipt)
