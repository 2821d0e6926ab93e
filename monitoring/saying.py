"""Words and numbers in the language of whoever reads them."""

from collections.abc import Callable

from django.utils.formats import get_format
from django.utils.functional import lazy
from django.utils.translation import gettext, pgettext


def later(write: Callable[[], str]) -> str:
    """Words that are written anew, in the language of that moment, whenever they are read."""
    return lazy(write, str)()


def from_file(words: str) -> str:
    """A sentence of one of our TOML files, translated whenever it is read.

    `update_messages` puts those sentences into the catalogue; those of an operator's own file of
    rules are not in it, and stay as they were written.
    """
    return later(lambda: gettext(words))


def number(written: str) -> str:
    """A number as Python writes it, such as `1,234.5`, with the marks of the language."""
    marks = {",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR")}
    return written.translate(str.maketrans(marks))


def answer_name(answer: str) -> str:
    """What an answer is called: ours in the language of the page, labels of others as they are."""
    names = {
        "cat": pgettext("answer", "cat"),
        "dog": pgettext("answer", "dog"),
        "unsure": pgettext("answer", "unsure"),
        "neither": pgettext("answer", "neither"),
    }
    return names.get(answer, answer)
