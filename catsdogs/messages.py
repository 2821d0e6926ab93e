"""Which words of the site are to be translated, and the catalogues that hold the translations.

For developers: it needs Babel, which a server does not. Django reads only what is compiled here.
"""

import io
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog as BabelCatalog
from babel.messages.catalog import Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

from catsdogs.unmarked import unmarked

PACKAGES = ("catsdogs", "classifier", "feedback", "ml", "monitoring")
TEMPLATES = "templates"

# How many of a function's first arguments are words, or the context for `p`. `Sentence` is how
# `ml`, which knows no Django, says what people read.
_KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop", "Sentence"), 1),
    **dict.fromkeys(("ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"), 2),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), 3),
}

# One text, or that for one and that for many; the same words in a context are other words.
_Words = str | tuple[str, ...]
_Key = tuple[str | None, _Words]


class Catalog(BabelCatalog):
    """Babel's, without dates, names and versions: the same words make the same bytes."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", self.locale_identifier or ""),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", self.plural_forms),
        ]


def languages() -> list[str]:
    """The languages that need a catalogue: all but the one the words are written in."""
    return [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def place(language: str) -> Path:
    """The catalogue of a language as people edit it."""
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"


def updated(language: str, also: Iterable[Path] = ()) -> Catalog:
    """The catalogue with all words of today, each with its translation if there is one.

    Args:
        language: Its code.
        also: Further catalogues to take translations from, where its own has none.
    """
    known: dict[_Key, Any] = {}
    for path in [place(language), *also]:
        for key, translation in _translations(path, language):
            known.setdefault(key, translation)
    catalog = Catalog(language, header_comment=f"# {_name(language)}", fuzzy=False)
    for where, context, words, comments in _words():
        catalog.add(
            words,
            known.get((context, words)),
            locations=[(where, 1)],
            auto_comments=comments,
            context=context,
        )
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """For people: sorted, and without line numbers, so that a diff shows what changed."""
    for message in catalog:
        message.locations = sorted(set(message.locations))
    target = io.BytesIO()
    write_po(target, catalog, width=100, sort_output=True, include_lineno=False)
    return target.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    """For Django."""
    target = io.BytesIO()
    write_mo(target, catalog)
    return target.getvalue()


def untranslated(catalog: Catalog) -> list[Message]:
    """The messages of which some form has no translation."""
    return [message for message in catalog if message.id and not _is_said(message.string)]


def _name(language: str) -> str:
    return f"The words of the site: {dict(settings.LANGUAGES)[language]}."


def _is_said(translation: Any) -> bool:
    forms = translation if isinstance(translation, (tuple, list)) else [translation]
    return all(forms)


def _translations(path: Path, language: str) -> Iterator[tuple[_Key, Any]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        catalog = read_po(file, locale=language, abort_invalid=True)
    for message in catalog:
        if message.id and _is_said(message.string) and not message.fuzzy:
            yield (message.context, _key(message.id)), message.string


def _key(words: Any) -> _Words:
    return words if isinstance(words, str) else tuple(words)


def _words() -> Iterator[tuple[str, str | None, _Words, list[str]]]:
    """All that is marked: where, in which context, the words, what translators should know."""
    root = Path(settings.BASE_DIR)
    for path in _files(root):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".html":
            # In brackets, where Python minds no indentation.
            text = f"({templatize(text, origin=str(path))}\n)"
        name = path.relative_to(root).as_posix()
        for context, words, comments in _extract(text, name):
            yield name, context, words, comments
    for name, context, word in unmarked(root):
        yield name, context, word, []


def _files(root: Path) -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((root / package).rglob("*.py"))
    yield from sorted((root / TEMPLATES).rglob("*.html"))


def _extract(text: str, name: str) -> Iterator[tuple[str | None, _Words, list[str]]]:
    source = io.BytesIO(text.encode())
    try:
        found: list[Any] = list(
            extract_python(source, dict.fromkeys(_KEYWORDS), ["Translators:"], {})
        )
    except tokenize.TokenError as error:
        raise ValueError(f"{name} cannot be read: {error}") from error
    for _, function, arguments, comments in found:
        given = arguments if isinstance(arguments, tuple) else (arguments,)
        words = given[: _KEYWORDS[str(function)]]
        if not all(isinstance(each, str) and each for each in words):
            continue  # not written here: a variable
        context = words[0] if "pgettext" in str(function) else None
        words = words[1:] if context else words
        yield context, words[0] if len(words) == 1 else words, list(comments)
