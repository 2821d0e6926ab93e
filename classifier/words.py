"""The language of who asks: in which one they are answered, and sentences of `ml` said in it."""

from django.http import HttpRequest
from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext

from ml.sentences import Sentence


def speak_as_asked(request: HttpRequest) -> None:
    """Answer in the language that a request asks for: for what comes before the middleware."""
    translation.activate(translation.get_language_from_request(request))


def said(words: object) -> str:
    """Words in the active language; those that are no `Sentence` as they are."""
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
