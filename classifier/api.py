"""The API's doors to photos, predictions and versions."""

import re
import uuid
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO, Any, cast

import django_filters
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import get_script_prefix, reverse
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import exceptions, generics, parsers, serializers, status
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse as absolute
from rest_framework.views import APIView

from classifier.callers import MayCall, TokenAuthentication, person_of, visible_to
from classifier.classify import classify_photo, erase_prediction
from classifier.errors import ApiError, as_body, as_response, refusal
from classifier.models import ApiToken, ModelVersion, Prediction, PredictionQuerySet
from classifier.refusals import count_refusal
from classifier.throttling import admit_photos
from classifier.uploads import read_body, read_photo
from ml.photos import PhotoError
from ml.sentences import Sentence

# `image` is the field's name; `file` is what the app that this one descends from called it.
_FIELDS = ("image", "file")


class PhotoBodyParser(parsers.BaseParser):
    """The body itself is the photo: `Content-Type: image/…`."""

    media_type = "image/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> parsers.DataAndFiles:
        return parsers.DataAndFiles({}, {"image": read_body(stream, media_type or "")})


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


class PredictView(APIView):
    """Send a photo, as the field `image` of a form or as the body itself; get an answer."""

    scope = "predict"
    parser_classes = (parsers.MultiPartParser, PhotoBodyParser)
    serializer_class = UploadSerializer  # the browsable API draws its file picker from this

    @extend_schema(
        request={"multipart/form-data": UploadSerializer, "image/*": OpenApiTypes.BINARY},
        responses={
            201: PredictionSerializer,
            200: PredictionSerializer,
            **errors(400, 401, 413, 415, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        body, code, headers = _answered(request)
        return Response(body, status=code, headers=headers)

    @classmethod
    def express(cls, request: HttpRequest) -> HttpResponse:
        """The same for a program, see `classifier.express`: nobody is logged in, JSON is wanted."""
        request.user, request.session = AnonymousUser(), {}  # type: ignore[assignment]
        try:
            request.get_host()  # is looked at before anything is logged
            request.auth = _token(request, cls)  # type: ignore[attr-defined]
            body, code, headers = _answered(request)
        except Exception as error:
            refused = as_response(error, {})
            if refused is None:
                raise
            body, code, headers = refused.data, refused.status_code, dict(refused.items())
            del headers["Content-Type"]  # of a response that nobody rendered
        response = JsonResponse(body, status=code, headers=headers)
        response["Content-Length"] = str(len(response.content))
        return response


def _token(request: HttpRequest, view: type[APIView]) -> ApiToken | None:
    """Whose token it is, if there is one, and if they may call the view."""
    try:
        _, token = TokenAuthentication().authenticate(request) or (None, None)
        request.auth = token  # type: ignore[attr-defined]
        may_call = MayCall()
        if may_call.has_permission(request, view):
            return token
        if token is None:
            raise exceptions.NotAuthenticated
        raise exceptions.PermissionDenied(may_call.message)
    except (exceptions.NotAuthenticated, exceptions.AuthenticationFailed) as error:
        error.auth_header = "Bearer"  # type: ignore[union-attr]
        raise


def _answered(request: Request | HttpRequest) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Classify the photo of a request: body, status and headers of the answer."""
    admit_photos(request)
    prediction = classify_photo(read_photo(_upload(request)), person=person_of(request))
    body = as_json(prediction, request)
    if prediction.logged == Prediction.SPOOLED:  # there is nothing at its address yet
        return body, status.HTTP_200_OK, {}
    return body, status.HTTP_201_CREATED, {"Location": body["links"]["self"]}


class PredictBatchView(APIView):
    """Send up to 32 photos in parts named `image`; a bad one fails alone."""

    scope = "predict"
    parser_classes = (parsers.MultiPartParser,)

    @extend_schema(
        request={"multipart/form-data": BatchUploadSerializer},
        responses={200: BatchSerializer, **errors(400, 401, 413, 429, 503)},
    )
    def post(self, request: Request) -> Response:
        uploads = request.FILES.getlist("image")
        if not uploads:
            raise _missing_image()
        if len(uploads) > settings.PHOTO_MAX_BATCH:
            raise ApiError(
                gettext("%(number)s photos; at most %(most)s fit in one request.")
                % {"number": len(uploads), "most": settings.PHOTO_MAX_BATCH},
                code="too_many_images",
                field="image",
            )
        admit_photos(request, len(uploads))
        return Response({"results": [self._answer(request, upload) for upload in uploads]})

    def _answer(self, request: Request, upload: UploadedFile) -> dict[str, Any]:
        try:
            photo = read_photo(upload)
        except PhotoError as error:
            count_refusal(error.code)
            return as_body(refusal(error))
        prediction = classify_photo(photo, person=person_of(request))
        return as_json(prediction, request)


def _upload(request: Request | HttpRequest) -> UploadedFile:
    kind = request.content_type or ""
    if isinstance(request, HttpRequest) and kind.startswith("image/"):
        return read_body(cast(IO[bytes], request), kind)
    for field in _FIELDS:
        upload: UploadedFile | None = request.FILES.get(field)
        if upload:
            return upload
    if kind.startswith("image/"):  # DRF parses no empty body
        raise refusal(PhotoError(Sentence("The body is empty."), code="empty_file"))
    raise _missing_image()


def _missing_image() -> ApiError:
    return ApiError(
        gettext(
            "There is no photo. Send it as the form field 'image', or as the body itself with the "
            "content type image/…."
        ),
        code="missing_image",
        field="image",
    )


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


@extend_schema_view(get=extend_schema(responses={200: ModelVersionSerializer, **errors(401)}))
class ModelVersionListView(generics.ListAPIView):
    """The versions, newest first, with their scores; `live` is the one that answers."""

    queryset = ModelVersion.objects.all()
    serializer_class = ModelVersionSerializer
    filter_backends = ()


@extend_schema_view(get=extend_schema(responses={200: ModelVersionSerializer, **errors(401, 404)}))
class ModelVersionView(generics.RetrieveAPIView):
    """One version."""

    queryset = ModelVersion.objects.all()
    lookup_url_kwarg = "version"
    serializer_class = ModelVersionSerializer
    filter_backends = ()


class RootView(APIView):
    """Where to go from here."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        names = ("api-predict", "api-predict-batch", "api-feedback", "api-predictions")
        places = {name: absolute(name, request=request) for name in (*names, "api-models")}
        places["api-docs"] = absolute("api-docs", request=request)
        return Response({name.removeprefix("api-"): url for name, url in places.items()})


class NotFoundView(APIView):
    """An address under /api/ that is none: 404 in the shape of every error."""

    permission_classes = ()
    schema = None  # no endpoint

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise ApiError(
            gettext("There is nothing at %(path)s.") % {"path": request.path},
            code="not_found",
            status_code=404,
        )
