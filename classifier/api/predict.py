"""The API's doors to answers: one photo, or a batch of them."""

from typing import IO, Any, cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, parsers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classifier.api.shapes import (
    BatchSerializer,
    BatchUploadSerializer,
    PredictionSerializer,
    UploadSerializer,
    as_json,
    errors,
)
from classifier.callers import MayCall, TokenAuthentication, person_of
from classifier.classify import classify_photo
from classifier.errors import ApiError, as_body, as_response, refusal
from classifier.models import ApiToken, Prediction
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
