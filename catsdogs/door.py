"""The door of the site: what the server turns away is told so here, and costs next to nothing.

Under a flood this is the most frequent answer, so neither middleware nor template has a part in it
but for the first time.
"""

import json
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from catsdogs.headers import HEADERS
from classifier import admission, trace
from classifier.admission import Refusal
from classifier.refusals import count_refusal
from classifier.words import said, speak_as_asked
from monitoring.requests import count

# WSGI's, of which Python's and Django's stubs have different ideas.
_Environ = dict[str, Any]
_StartResponse = Callable[..., Any]
_Application = Callable[[_Environ, _StartResponse], Iterable[bytes]]

_LINES = {413: "413 Request Entity Too Large", 503: "503 Service Unavailable"}
_PAGE_POLICY = "default-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'"


class Door:
    """A WSGI application that lets in what the server has not turned away.

    Args:
        application: Who answers what is let in.
    """

    def __init__(self, application: _Application) -> None:
        self._application = application

    def __call__(self, environ: _Environ, start_response: _StartResponse) -> Iterable[bytes]:
        refusal = admission.marked()
        if refusal is None:
            return self._application(environ, start_response)
        return _turn_away(refusal, environ, start_response)


def _turn_away(
    refusal: Refusal, environ: _Environ, start_response: _StartResponse
) -> Iterable[bytes]:
    started = time.perf_counter()
    language = speak_as_asked(environ)
    body, content_type = _words(refusal, environ, language)
    headers = [
        *HEADERS.items(),
        ("Cache-Control", "no-store"),
        ("Content-Language", language),
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
    ]
    if content_type.startswith("text/html"):
        headers.append(("Content-Security-Policy", _PAGE_POLICY))
    if settings.HTTPS:
        headers.append(("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}"))
    if refusal.retry_after is not None:
        headers.append(("Retry-After", str(refusal.retry_after)))
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    route = admission.photo_route(method.encode("latin-1"), path.encode("latin-1"))
    with trace.begin(environ.get("HTTP_X_REQUEST_ID", "")) as traced:
        headers.append((trace.HEADER, traced.request_id))
        if route:
            count_refusal(refusal.code)
    seconds = time.perf_counter() - started
    count(route or "unknown", method if route else "other", refusal.status, seconds)
    start_response(_LINES[refusal.status], headers)
    return [body]


def _words(refusal: Refusal, environ: _Environ, language: str) -> tuple[bytes, str]:
    """The refusal as its reader wants it, and its content type."""
    if environ["PATH_INFO"].startswith("/api/"):
        body = {"code": refusal.code, "detail": said(refusal.detail), "field": None}
        return json.dumps(body).encode(), "application/json"
    page = "classifier/_card.html" if environ.get("HTTP_HX_REQUEST") else "503.html"
    detail = said(refusal.detail)
    return _page(page, refusal.code, detail, language), "text/html; charset=utf-8"


@lru_cache(maxsize=32)
def _page(template: str, code: str, detail: str, language: str) -> bytes:
    """A page in the active language, whose name is here for the cache."""
    context: dict[str, Any] = {"problem": detail}
    if code == "too_large":  # trying again would not help
        context = {"problem": detail, "form": {"errors": {"photo": [detail]}}}
    return render_to_string(template, context).encode()
