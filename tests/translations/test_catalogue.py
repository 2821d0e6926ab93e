"""The catalogues hold all words of the site, translated, and are compiled as they are written."""

import re
from string import Formatter

import pytest
from django.conf import settings

from catsdogs import messages

pytestmark = pytest.mark.once

LANGUAGES = messages.languages()
_PERCENT = re.compile(r"%(?:\(\w+\))?[-#0 +]*\d*(?:\.\d+)?[a-zA-Z%]")
_TAG = re.compile(r"</?\w+[^>]*>|&\w+;")


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request):
    return request.param


@pytest.fixture(scope="module")
def catalog(language):
    return messages.updated(language)


def forms(message):
    """Each form of a message with its translation: pairs of texts."""
    if isinstance(message.id, str):
        return [(message.id, message.string)]
    return [(message.id[min(n, 1)], said) for n, said in enumerate(message.string)]


def braces(text):
    """What scripts fill in: {name}."""
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name)


def test_there_are_two_languages_and_french_is_one():
    assert "fr" in LANGUAGES
    assert settings.LANGUAGE_CODE == "en"


def test_the_catalogue_holds_the_words_of_today(language, catalog):
    kept = messages.place(language).read_bytes()

    assert kept.decode() == messages.as_po(catalog).decode(), "run manage.py update_messages"


def test_what_is_compiled_is_what_is_written(language, catalog):
    compiled = messages.place(language).with_suffix(".mo").read_bytes()

    assert compiled == messages.as_mo(catalog), "run manage.py update_messages"


def test_the_same_words_make_the_same_bytes(language, catalog):
    again = messages.updated(language)

    assert messages.as_po(again) == messages.as_po(catalog)
    assert messages.as_mo(again) == messages.as_mo(catalog)


def test_every_message_is_translated(catalog):
    assert [message.id for message in messages.untranslated(catalog)] == []


def test_no_translation_is_a_guess(language):
    assert ", fuzzy" not in messages.place(language).read_text(encoding="utf-8")


def test_a_translation_fills_in_the_same_values(catalog):
    wrong = []
    for message in filter(lambda message: message.id, catalog):
        # A form for one may say "one" in place of the number.
        may_lack = {"%(count)s", "%(counter)s", "%d"} if not isinstance(message.id, str) else set()
        for english, said in forms(message):
            ours, theirs = _PERCENT.findall(english), _PERCENT.findall(said)
            if (set(ours) ^ set(theirs)) - may_lack or braces(english) != braces(said):
                wrong.append((english, said))
    assert wrong == []


def test_a_translation_has_the_same_html(catalog):
    pairs = [pair for message in catalog if message.id for pair in forms(message)]

    assert [
        pair for pair in pairs if sorted(_TAG.findall(pair[0])) != sorted(_TAG.findall(pair[1]))
    ] == []


def test_a_translation_begins_and_ends_with_the_same_space(catalog):
    pairs = [pair for message in catalog if message.id for pair in forms(message)]

    assert [
        (english, said)
        for english, said in pairs
        if english[:1].isspace() != said[:1].isspace()
        or english[-1:].isspace() != said[-1:].isspace()
    ] == []


def test_a_catalogue_that_was_merged_keeps_what_either_side_translated(tmp_path, language):
    theirs = messages.Catalog(language)
    word = next(message.id for message in messages.updated(language) if message.id)
    theirs.add(word, "ailleurs")
    (tmp_path / "theirs.po").write_bytes(messages.as_po(theirs))
    kept = messages.updated(language).get(word).string

    merged = messages.updated(language, also=[tmp_path / "theirs.po"])

    assert merged.get(word).string == (kept or "ailleurs")


def test_french_has_its_own_signs():
    """Narrow spaces before double signs and within « », and apostrophes that are curved."""
    said = "\n".join(text for m in messages.updated("fr") if m.id for _, text in forms(m))
    said = re.sub(r"<[^>]*>|https?:\S+|%\(\w+\)s", "", said)

    assert re.findall(r".*[ \u00a0\w][!?;»](?!\w).*", said) == []
    assert re.findall(r".*[ \u00a0]:(?!\w).*|.*« .*", said) == []
    assert re.findall(r".*\w'\w.*", said) == []
    assert re.findall(r".*[“”].*", said) == []
