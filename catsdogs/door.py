"""The door of the site: what the server turns away is told so here, and costs next to nothing.

Under a flood this is the most frequent answer, so neither middleware nor template has a part in it
but for the first time; and to a program it is said without a thread.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.http import http_date
from gunicorn import SERVER

from catsdogs.headers import HEADERS
from classifier import admission, trace
from classifier.admission import Refusal
from classifier.ids import uuid7
from classifier.refusals import count_refusal
from classifier.words import said, speak_as_asked
from monitoring.requests import count

# WSGI's, of which Python's and Django's stubs have different ideas.
_Environ = dict[str, Any]
_StartResponse = Callable[..., Any]
_Application = Callable[[_Environ, _StartResponse], Iterable[bytes]]

_LINES = {413: "413 Request Entity Too Large", 503: "503 Service Unavailable"}
# What would have a part in the answer, if only its language: that is for a thread.
_UNUSUAL = re.compile(
    rb"\r\n(?:accept-language|cookie|x-request-id|connection:(?![ \t]*keep-alive[ \t]*\r))",
    re.IGNORECASE,
)
# Since they were last written down: code, status and route to how many.
_told: Counter[tuple[str, int, str]] = Counter()
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


def at_once(refusal: Refusal, route: str, head: bytes, *, keeps: bool) -> bytes | None:
    """The whole answer to a program that is turned away; `write_down` counts it.

    For one thread alone.

    Args:
        refusal: Why.
        route: The name of the address, see `admission.photo_route`.
        head: Of the request.
        keeps: Whether the connection stays open.

    Returns:
        None where more has to be looked at: then a thread answers, through `Door`.
    """
    line = head[: head.index(b"\r\n")]
    is_plain = line.startswith(b"POST /api/") and line.endswith(b" HTTP/1.1")
    if not is_plain or not route or _UNUSUAL.search(head):
        return None
    begin, end = _answer(refusal)
    _told[refusal.code, refusal.status, route] += 1
    stays = "keep-alive" if keeps else "close"
    date = _date(int(time.time()))
    varying = f"Date: {date}\r\nConnection: {stays}\r\n{trace.HEADER}: {uuid7()}\r\n"
    return begin + varying.encode() + end


def write_down() -> None:
    """Count those who were told at once, as many as there are. For the thread that tells them."""
    for (code, status, route), number in _told.items():
        count_refusal(code, number=number)
        count(route, "POST", status, number=number)
    _told.clear()


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return http_date(second)


@lru_cache(maxsize=32)
def _answer(refusal: Refusal) -> tuple[bytes, bytes]:
    """An answer to a program, but for some lines of its head: what comes before and after these."""
    body, language = _as_json(refusal), settings.LANGUAGE_CODE
    fixed = [("Server", SERVER), *_headers(refusal, body, "application/json", language)]
    lines = "".join(f"{name}: {value}\r\n" for name, value in fixed)
    return f"HTTP/1.1 {_LINES[refusal.status]}\r\n{lines}".encode(), b"\r\n" + body


def _turn_away(
    refusal: Refusal, environ: _Environ, start_response: _StartResponse
) -> Iterable[bytes]:
    language = speak_as_asked(environ)
    body, content_type = _words(refusal, environ, language)
    headers = _headers(refusal, body, content_type, language)
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    route = admission.photo_route(method.encode("latin-1"), path.encode("latin-1"))
    headers.append((trace.HEADER, _note(refusal, route, environ.get("HTTP_X_REQUEST_ID", ""))))
    count(route or "unknown", method if route else "other", refusal.status)
    start_response(_LINES[refusal.status], headers)
    return [body]


def _note(refusal: Refusal, route: str, claimed_id: str = "") -> str:
    """Count a photo that gets no answer; returns the request's id."""
    with trace.begin(claimed_id) as traced:
        if route:
            count_refusal(refusal.code)
        return traced.request_id


def _headers(
    refusal: Refusal, body: bytes, content_type: str, language: str
) -> list[tuple[str, str]]:
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
    return headers


def _as_json(refusal: Refusal) -> bytes:
    body = {"code": refusal.code, "detail": said(refusal.detail), "field": None}
    return json.dumps(body).encode()


def _words(refusal: Refusal, environ: _Environ, language: str) -> tuple[bytes, str]:
    """The refusal as its reader wants it, and its content type."""
    if environ["PATH_INFO"].startswith("/api/"):
        return _as_json(refusal), "application/json"
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
