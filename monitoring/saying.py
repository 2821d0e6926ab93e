"""Words in the language of whoever reads them, whenever that is."""

from collections.abc import Callable

from django.utils.functional import lazy
from django.utils.translation import gettext


def later(write: Callable[[], str]) -> str:
    """Words that are written anew, in the language of that moment, whenever they are read."""
    return lazy(write, str)()


def from_file(words: str) -> str:
    """A sentence of one of our TOML files, translated whenever it is read.

    `update_messages` puts those sentences into the catalogue; those of an operator's own file of
    rules are not in it, and stay as they were written.
    """
    return later(lambda: gettext(words))
