"""A short cut for programs that send a photo and want JSON: past what only browsers need.

Sessions, forms and the negotiation of formats take time of each answer that could go to photos.
A program has no cookie and asks for nothing but JSON: its view answers it here, by its
`express`, with the same checks. Whatever is unusual takes the usual way.
"""

from collections.abc import Callable
from functools import cache, lru_cache

from csp.constants import HEADER as POLICY
from csp.utils import build_policy
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, get_urlconf, resolve

from classifier import database
from classifier.words import speak_as_asked

_JSON = ("", "*/*", "application/json")


class Express:
    """Middleware: answers here where the view can and the request is plain."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = _short_cut(request) if _is_plain(request) else None
        if answer is None:
            return self.get_response(request)
        database.be_patient(False)  # whoever asks is waiting
        language = speak_as_asked(request.META)
        response = answer(request)
        response["Content-Language"] = language
        response["Vary"] = "Accept-Language"
        response[POLICY] = _policy()
        return response


def _is_plain(request: HttpRequest) -> bool:
    asked = request.META
    return (
        request.method == "POST"
        and request.path_info.startswith("/api/")
        and not asked.get("HTTP_COOKIE")
        and asked.get("HTTP_ACCEPT", "") in _JSON
        and not asked.get("QUERY_STRING")
        and (request.content_type or "").startswith(("image/", "multipart/form-data"))
    )


def _short_cut(request: HttpRequest) -> Callable[[HttpRequest], HttpResponse] | None:
    try:
        match = _resolve(request.path_info, get_urlconf())
    except Resolver404:
        return None
    view = getattr(match.func, "view_class", None)
    answer: Callable[[HttpRequest], HttpResponse] | None = getattr(view, "express", None)
    if answer:
        request.resolver_match = match
    return answer


@lru_cache(maxsize=100)
def _resolve(path: str, urlconf: str | None) -> ResolverMatch:
    return resolve(path, urlconf)


@cache
def _policy() -> str:
    """The same as of every page; to build it anew would take a tenth of a millisecond."""
    return build_policy()
