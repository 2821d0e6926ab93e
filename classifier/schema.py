"""What drf-spectacular cannot see by itself: who may call the API, and with what."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class Schema(AutoSchema):
    def get_auth(self) -> list[dict[str, list[str]]]:
        ways: list[dict[str, list[str]]] = super().get_auth()
        # An empty way to authenticate is OpenAPI's for "or not at all".
        return [*ways, {}] if settings.API_ACCESS == "open" else ways

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation and "requestBody" in operation:
            operation["requestBody"]["required"] = True  # each of ours is; a raw photo too
        return operation


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "classifier.callers.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
