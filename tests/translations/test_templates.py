"""No template says anything to people but by a translation."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType

from tests.translations.reading import bare_words, has_letters

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted([*ROOT.rglob("*.html"), *ROOT.rglob("*.svg")])
# Words given to a tag or a filter rather than written in the page.
_GIVEN = re.compile(r"""\|(default|default_if_none|yesno|add):(["'])(?P<text>.*?)\2""")
_NAMED = re.compile(r"""(?<!\bclasses)=(["'])(?P<text>[^"']*[^\W\d_] [^"']*|[A-Z][a-z][^"']*)\1""")
# For programs and style sheets.
_MACHINE = {"true,false", "yes,no", "agrees,differs"}


def outline(source):
    """The HTML of a template without what its tags put in, and the words in those tags."""
    html, given, inside = [], [], None
    for token in Lexer(source).tokenize():
        name = token.contents.split()[0] if token.contents.split() else ""
        if token.token_type == TokenType.BLOCK and inside is None and name in _SKIPPED:
            inside = f"end{name}"
        elif token.token_type == TokenType.BLOCK and name == inside:
            inside = None
        elif inside is None and token.token_type == TokenType.TEXT:
            html.append(token.contents)
        elif inside is None and token.token_type in (TokenType.VAR, TokenType.BLOCK):
            given += words_given(name, token.contents)
    return "".join(html), given


_SKIPPED = {"blocktranslate", "blocktrans", "comment"}
_TRANSLATING = {"translate", "trans", "url", "static", "extends", "load"}


def words_given(name, contents):
    if "|pluralize" in contents:  # languages have plurals of their own
        return [contents]
    if name in _TRANSLATING:
        return []
    found = [each["text"] for each in (*_GIVEN.finditer(contents), *_NAMED.finditer(contents))]
    return [text for text in found if has_letters(text) and text not in _MACHINE]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_holds_no_bare_words(path):
    html, given = outline(path.read_text(encoding="utf-8"))

    assert bare_words(html) == []
    assert given == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        "{% if a %}right{% else %}{% translate 'wrong' %}{% endif %}",
        "<img alt='Your photo'>",
        "<p data-failed='That did not work.'>",
        "<p data-erased='Erased.'>",
        "<input type=submit value='Send'>",
        "<meta name=description content='A site'>",
        "{{ n }} photo{{ n|pluralize }}",
        "{{ words|default:'Any feedback' }}",
        "{% include 'x.html' with title='Your photos' %}",
        "<p>{{ n }} ms</p>",
    ],
)
def test_bare_words_are_found(source):
    html, given = outline(source)

    assert bare_words(html) or given


@pytest.mark.parametrize(
    "source",
    [
        "<p>{% translate 'Hello' %}</p>",
        "<p>{% blocktranslate count n=n %}One{% plural %}{{ n }}{% endblocktranslate %}</p>",
        "<p translate='no'>cat.jpg</p>",
        "<p lang='en'>As it was written.<br>All of it.</p>",
        "<a href='{% url \"home\" %}' data-do='again'>{{ name }}</a>",
        "<input type=hidden value='yes'><p>{{ a }} · {{ b }}</p>",
        "{% comment %}Words about it.{% endcomment %}<code>manage.py</code>",
    ],
)
def test_other_things_are_let_be(source):
    html, given = outline(source)

    assert bare_words(html) == []
    assert given == []
