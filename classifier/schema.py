"""What drf-spectacular cannot see by itself: who may call the API, and with what."""

from typing import Any

from django.conf import settings
from django.utils import translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

# What each address may answer besides its own, as `classifier.errors` has it.
_EVERYWHERE = {
    401: "No token, or one that is unknown, revoked or expired.",
    403: "A token without the scope, or a session without its CSRF token.",
    406: "None of the formats in `Accept` is there.",
    429: "Too much at once; `Retry-After` says in how many seconds again.",
    503: "Not just now; `Retry-After` says in how many seconds again.",
}
# Times from 1971 to 2998: beyond, calendars overflow.
_PLAUSIBLE = r"^(19(7[1-9]|[89]\d)|2\d{3})-"
_NO_NUL = r"^[^\x00]*$"
_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


class Generator(SchemaGenerator):
    """The schema is written in English, whoever reads it: like code, it is the same for all."""

    def get_schema(self, *args: Any, **kwargs: Any) -> Any:
        with translation.override(settings.LANGUAGE_CODE):
            return super().get_schema(*args, **kwargs)  # type: ignore[no-untyped-call]


class Schema(AutoSchema):
    def get_auth(self) -> list[dict[str, list[str]]]:
        ways: list[dict[str, list[str]]] = super().get_auth()
        # An empty way to authenticate is OpenAPI's for "or not at all".
        return [*ways, {}] if settings.API_ACCESS == "open" else ways

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True  # each of ours is; a raw photo too
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query":
                # A form's empty field, as if it were not there.
                parameter["allowEmptyValue"] = True
                _narrow(parameter["schema"])
        for status, text in _EVERYWHERE.items():
            operation["responses"][str(status)] = _error(status, text)
        return operation


def _narrow(schema: dict[str, Any]) -> None:
    """Say of a text in a query what else it must be."""
    if schema.get("format") == "date-time":
        schema["pattern"] = _PLAUSIBLE
    elif schema.get("type") == "string" and not {"enum", "format"} & set(schema):
        schema["pattern"] = _NO_NUL


def _error(status: int, text: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": text, "content": _ERROR}
    if status in (429, 503):
        answer["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}
        }
    return answer


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "classifier.callers.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
