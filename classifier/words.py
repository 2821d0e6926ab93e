"""The language of who asks: in which one they are answered, and sentences of `ml` said in it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext

from ml.sentences import Sentence


def speak_as_asked(meta: Mapping[str, Any]) -> str:
    """Answer in the language that a request asks for, where no middleware has seen to it.

    Args:
        meta: Its headers, as WSGI has them. Most programs ask for no language: that costs nothing.

    Returns:
        The language.
    """
    cookies = meta.get("HTTP_COOKIE", "")
    chosen = parse_cookie(cookies).get(settings.LANGUAGE_COOKIE_NAME, "") if cookies else ""
    language = _language(chosen, meta.get("HTTP_ACCEPT_LANGUAGE", ""))
    translation.activate(language)
    return language


@lru_cache(maxsize=100)
def _language(chosen: str, accepted: str) -> str:
    request = HttpRequest()
    request.COOKIES[settings.LANGUAGE_COOKIE_NAME] = chosen
    request.META["HTTP_ACCEPT_LANGUAGE"] = accepted
    return translation.get_language_from_request(request)


def said(words: object) -> str:
    """Words, or those of an error, in the active language; what is no `Sentence` as it is."""
    if isinstance(words, Exception):
        words = words.args[0]
    if not isinstance(words, Sentence):
        return str(words)
    return gettext(words.template) % {key: _value(each) for key, each in words.values.items()}


def _value(value: object) -> str:
    match value:
        case int():
            return str(number_format(value, force_grouping=True))
        case float():
            return str(number_format(value, 1, force_grouping=True))
    return said(value)
