"""What a visitor of the page is called: a random name in a signed cookie, without any row."""

import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

COOKIE = "visitor"
_SALT = "classifier.visitors"
# As long as browsers let a cookie live: who consents must be able to come back and take it back.
_LASTS_SECONDS = 400 * 24 * 3600

# Sessions named visitors before cookies did. What else stands in such a session is of no use.
_OLD_KEY = "visitor"
_OLD_KEYS = {_OLD_KEY, "_session_expiry"}


def visitor_of(request: HttpRequest | Request) -> str | None:
    """The visitor's name, if they have one; only an old session costs a query."""
    asked = _django(request)
    if name := getattr(asked, "_visitor", None) or _from_cookie(asked):
        return str(name)
    if name := asked.session.get(_OLD_KEY):
        _set(asked, name)  # theirs are the predictions under it
        asked._old_session = set(asked.session.keys()) <= _OLD_KEYS  # type: ignore[attr-defined]
    return name


def remember_visitor(request: HttpRequest) -> None:
    """Give a visitor a name if they have none; the cookie with it lives anew from now on."""
    if request.user.is_authenticated:  # they have one
        return
    _set(request, visitor_of(request) or secrets.token_hex(16))


class Visitors:
    """Middleware: sends the cookie of those who were just named, and of those who came again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        name = getattr(request, "_visitor", None)
        if name is None:
            return response
        response.set_signed_cookie(
            COOKIE,
            name,
            salt=_SALT,
            max_age=_LASTS_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
        if getattr(request, "_old_session", False):
            # It knows nothing more, and would cost each request a look. Its row stays until it
            # expires: another request with the same cookie may be under way.
            response.delete_cookie(settings.SESSION_COOKIE_NAME, samesite="Lax")
        return response


def _from_cookie(request: HttpRequest) -> str | None:
    # A forged one is none: its bearer gets a name of their own.
    return request.get_signed_cookie(COOKIE, default=None, salt=_SALT)


def _set(request: HttpRequest, name: str) -> None:
    request._visitor = name  # type: ignore[attr-defined]


def _django(request: HttpRequest | Request) -> HttpRequest:
    return request._request if isinstance(request, Request) else request
