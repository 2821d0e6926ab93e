"""The marks tell what was translated from what was not: the other tests rest on that."""

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.translation import gettext, ngettext, pgettext

from tests.translations.marking import mark
from tests.translations.reading import bare_words, left_over


@pytest.fixture(autouse=True)
def french(monkeypatch):
    mark(monkeypatch, "fr")
    with translation.override("fr"):
        yield


def test_what_is_translated_has_marks():
    assert gettext("History") == "⟦Historique⟧"
    assert pgettext("answers", "All") == "⟦Toutes⟧"
    assert left_over(ngettext("%(num)d year", "%(num)d years", 2)) == []  # Django's


def test_what_nobody_translated_has_none():
    assert gettext("Nobody ever wrote this.") == "Nobody ever wrote this."
    assert left_over(gettext("Nobody ever wrote this.")) != []


def test_what_is_within_a_translation_is_marked_with_it():
    words = "{% load i18n %}<p>{% blocktranslate %}Model {{ version }}.{% endblocktranslate %}</p>"

    page = Template(words).render(Context({"version": "2026-01-01.1"}))

    assert page == "<p>⟦Modèle 2026-01-01.1.⟧</p>"
    assert bare_words(page) == []


def test_words_beside_a_translation_are_found():
    assert bare_words("<p>⟦Modèle⟧ of today</p>") == [("<p>", "⟦Modèle⟧ of today")]
    assert bare_words("<p>⟦le ⟦24⟧ mai⟧ at</p><img alt='⟦x⟧ y'>") != []
    assert bare_words("<option>Any</option>") != []


def test_a_translation_may_hold_elements():
    assert bare_words("<p>⟦<a href='/x'>cette réponse</a>, pour vous⟧</p>") == []
    assert bare_words("<p>⟦<a href='/x'>cette réponse</a>⟧, for you</p>") != []


def test_a_mark_that_was_cut_off_hides_nothing_after_its_element():
    assert bare_words("<p>⟦Une phrase coupée…</p><p>And more</p>") == [("<p>", "And more")]


def test_in_english_nothing_is_marked():
    with translation.override("en"):
        assert gettext("History") == "History"
