"""For pages: what was written down in English, in the reader's language."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from feedback import retelling

register = template.Library()


@register.filter
def retell(text: object) -> str:
    """A word or a sentence of a run, a verdict or a card: also where no markup may be."""
    return retelling.retell(str(text))


@register.simple_tag
def retold(text: object, most: int = 0) -> SafeString:
    """Sentences of a run; those that are known in English only say so to who reads them aloud.

    Args:
        text: As it was written.
        most: How many characters there may be; 0: any number.
    """
    shown, left = [], most
    for piece in retelling.pieces(str(text)):
        words = Truncator(piece.text).chars(left) if most else piece.text
        shown.append(_marked(words, piece.is_told))
        left -= len(words) + 1
        if most and (left <= 0 or words != piece.text):
            break
    return format_html_join(" ", "{}", ((words,) for words in shown))


def _marked(words: str, is_told: bool) -> str | SafeString:
    return words if is_told else format_html('<span lang="en" translate="no">{}</span>', words)
