"""A French in which whatever was translated is marked: what has no marks, nobody translated."""

from django.utils.translation import trans_real

from tests.translations.reading import BEGIN, END

# Django splits this one at its commas.
_LISTS = {"yes,no,maybe"}


class Marked:
    """Translations of a language, each in marks; what it does not know stays as it is.

    Args:
        real: Django's own for that language.
    """

    def __init__(self, real):
        self._real = real

    def gettext(self, message):
        return self._mark(message, self._real.gettext(message))

    def ngettext(self, singular, plural, number):
        return self._mark(singular, self._real.ngettext(singular, plural, number))

    def _mark(self, message, said):
        known = self._real._catalog
        if not message or (message not in known and (message, 0) not in known):
            return said
        if message in _LISTS:
            return ",".join(f"{BEGIN}{part}{END}" for part in said.split(","))
        return f"{BEGIN}{said}{END}"

    def __getattr__(self, name):
        return getattr(self._real, name)


def mark(monkeypatch, language):
    """Mark all translations of a language from now on."""
    marked = Marked(trans_real.translation(language))
    monkeypatch.setitem(trans_real._translations, language, marked)
