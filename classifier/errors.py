"""Every error the API gives: one shape, one short code per cause, an honest status."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFilesSent,
    ValidationError,
)
from django.db import InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    JsonResponse,
    UnreadablePostError,
)
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.utils.translation import gettext, gettext_noop
from django.views.defaults import bad_request as page_for_bad_request
from django.views.defaults import server_error as page_for_server_error
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from classifier import database, journal
from classifier.refusals import count_refusal
from classifier.serving import NoLiveModel, Overloaded
from classifier.storage import NotKept
from classifier.words import said, speak_as_asked
from ml.photos import PhotoError

_RETRY_AFTER_SECONDS = 5

_AWAY = gettext_noop(
    "The database cannot be reached. Nothing is lost: please try again in a moment."
)

_BROKE_OFF = gettext_noop("The request broke off before its end.")

# Refusals of a photo that are not plain 400s.
_STATUS_OF_PHOTO_ERROR = {
    "too_large": status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    "unsupported_format": status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
    "overloaded": status.HTTP_503_SERVICE_UNAVAILABLE,
}
# Where DRF's own codes differ from the contract's.
_CODES = {
    "parse_error": "invalid",
    "unsupported_media_type": "unsupported_format",
    "authentication_failed": "not_authenticated",
    "not_acceptable": "invalid",
}


# What DRF's parsers say, and the same to translate.
_UNREADABLE = {
    "JSON parse error - ": gettext_noop("JSON parse error - %(problem)s"),
    "Multipart form parse error - ": gettext_noop("Multipart form parse error - %(problem)s"),
}


class ApiError(exceptions.APIException):
    """An error with a code of the contract.

    Args:
        detail: For the person who reads it.
        code: For the program that reads it.
        status_code: HTTP status.
        field: The field at fault, where one is.
    """

    def __init__(
        self, detail: str, *, code: str, status_code: int = 400, field: str | None = None
    ) -> None:
        super().__init__(detail, code)
        self.code = code
        self.status_code = status_code
        self.field = field


def refusal(error: PhotoError) -> ApiError:
    """A refused photo as an error of the API."""
    return ApiError(
        said(error),
        code=error.code,
        status_code=_STATUS_OF_PHOTO_ERROR.get(error.code, status.HTTP_400_BAD_REQUEST),
        field="image",
    )


def as_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: any error we foresee, in the contract's shape.

    Returns:
        None for an error that we do not foresee: Django makes it a 500 and logs it.
    """
    foreseen = _as_api_exception(error)
    if foreseen is None:
        return None
    if foreseen.status_code == status.HTTP_404_NOT_FOUND:
        foreseen = _on_its_way(context["kwargs"]) or foreseen
    set_rollback()
    body = as_body(foreseen)
    count_refusal(body["code"])
    response = Response(body, status=foreseen.status_code)
    if foreseen.status_code == status.HTTP_503_SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    if wait := getattr(foreseen, "wait", None):
        response["Retry-After"] = str(int(wait) + 1)
    if challenge := getattr(foreseen, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    return response


def _as_api_exception(error: Exception) -> exceptions.APIException | None:
    match error:
        case exceptions.APIException():
            return error
        case PhotoError():
            return refusal(error)
        case Http404():
            return exceptions.NotFound()
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case ValidationError():  # a value that passed every field and still cannot be looked up
            return ApiError(" ".join(error.messages), code="invalid")
        case RequestDataTooBig():
            return ApiError(gettext("The request is too large."), code="too_large", status_code=413)
        case TooManyFilesSent():
            return ApiError(gettext("Too many files in one request."), code="too_many_images")
        case UnreadablePostError():  # whoever sent it has most likely gone
            return ApiError(gettext(_BROKE_OFF), code="invalid")
        case MultiPartParserError():  # past DRF's own parsers: see `classifier.express`
            return exceptions.ParseError(f"Multipart form parse error - {error}")
        case SuspiciousOperation():  # too many fields, broken cookies, …
            return exceptions.ParseError()
    return _unavailable(error)


def _unavailable(error: Exception) -> ApiError | None:
    """A 503 or 429 for what passes by itself or by an operator's hand."""
    match error:
        case NoLiveModel():
            return ApiError(said(error), code="no_live_model", status_code=503)
        case exceptions.Throttled():  # on a page; the API's have their answer already
            return ApiError(str(error.detail), code="throttled", status_code=429)
        case Overloaded():
            return ApiError(said(error), code="overloaded", status_code=503)
        case NotKept():
            return ApiError(said(error), code="storage_full", status_code=503)
        case journal.Waiting():
            return ApiError(said(error), code="database_unavailable", status_code=503)
        case OperationalError() | InterfaceError() | journal.Unwritable():
            # The database's own words name hosts and users: they belong in the log alone.
            return ApiError(gettext(_AWAY), code="database_unavailable", status_code=503)
    return None


def _on_its_way(names: Mapping[str, Any]) -> ApiError | None:
    """A 503 for a prediction that is not there yet, because it waits on disk; None if it does not.

    Args:
        names: What the address names.
    """
    ids = [value for value in names.values() if isinstance(value, UUID)]
    return _unavailable(journal.Waiting()) if any(map(journal.holds, ids)) else None


def as_body(error: exceptions.APIException) -> dict[str, Any]:
    """An error as JSON: `code`, `detail`, `field`; the request's id is in its header."""
    field, detail = _first_detail(error.detail)
    if isinstance(error, ApiError):
        field = error.field
    code = getattr(detail, "code", error.default_code)
    if isinstance(error, exceptions.ValidationError) and code != "unknown_prediction":
        code = "invalid"
    return {"code": _CODES.get(code, code), "detail": _reworded(str(detail)), "field": field}


def _reworded(detail: str) -> str:
    """DRF says in English only what it could not read, and Python in what way."""
    what, dash, problem = detail.partition(" - ")
    words = _UNREADABLE.get(what + dash)
    return gettext(words) % {"problem": problem} if words else detail


def _first_detail(detail: Any) -> tuple[str | None, Any]:
    """The first message of DRF's nested lists and dicts, and the field it is about."""
    field = None
    while isinstance(detail, (list, dict)):
        if isinstance(detail, dict):
            name, detail = next(iter(detail.items()))
            field = field or (None if name == "non_field_errors" else name)
        else:
            detail = detail[0]
    return field, detail


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler for a request at fault before any view saw it: its host, its cookies."""
    speak_as_asked(request.META)
    if not request.path.startswith("/api/"):
        return page_for_bad_request(request, exception)
    error = _as_api_exception(exception) or exceptions.ParseError()
    return JsonResponse(as_body(error), status=error.status_code)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler for an error that nobody foresaw, in the shape that the caller reads."""
    speak_as_asked(request.META)
    if not request.path.startswith("/api/"):
        return page_for_server_error(request)
    error = ApiError(
        gettext("Something broke on our side, and it has been written to the log."),
        code="internal_error",
        status_code=500,
    )
    return JsonResponse(as_body(error), status=500)


# Addresses whose queries are small: what takes longer than the deadline will not come.
_HASTY = {
    *("home", "classify", "prediction", "receipt", "photo", "why", "heat", "history"),
    *("api-predict", "api-predict-batch", "api-prediction", "api-receipt", "api-explanation"),
    *("healthz", "readyz"),
    *("give_feedback", "answer_consent", "api-feedback"),
}


class HonestErrors:
    """Middleware: what passes by itself, as a database that is away, is a 503 or 429 on pages too.

    And it is found out that the database is away: see `classifier.database`.
    And a request that broke off is a 400.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any
    ) -> None:
        """Who asks for an answer or gives feedback is waiting; who reads figures may wait."""
        match = request.resolver_match
        database.be_patient(match is None or match.url_name not in _HASTY)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, UnreadablePostError):
            return HttpResponseBadRequest(gettext(_BROKE_OFF))
        unavailable = _unavailable(error)
        if isinstance(error, Http404) and request.resolver_match:
            unavailable = _on_its_way(request.resolver_match.kwargs)
        if unavailable is None:
            return None
        count_refusal(unavailable.code)
        response = _unavailable_response(request, unavailable)
        response["Retry-After"] = str(int(getattr(error, "wait", 0)) or _RETRY_AFTER_SECONDS)
        return response


def _unavailable_response(request: HttpRequest, error: ApiError) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse(as_body(error), status=error.status_code)
    whole_page = "429.html" if error.status_code == 429 else "503.html"
    page = "classifier/_card.html" if request.headers.get("HX-Request") else whole_page
    return render(request, page, {"problem": str(error.detail)}, status=error.status_code)
