"""The words in a page, those read, seen or heard, and which of them nobody translated."""

import re
from html.parser import HTMLParser

BEGIN, END = "⟦", "⟧"
_LETTERS = re.compile(r"[^\W\d_]")
_VOID = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"),
}
# Not words: programs, and what is quoted from them.
_CODE = {"code", "kbd", "pre", "samp", "script", "style"}
_HEARD = {
    *("alt", "aria-description", "aria-label", "aria-roledescription", "aria-valuetext"),
    *("label", "placeholder", "title"),
}
# The name of the product is the same everywhere, and HTTP has no other words for these.
SAME_EVERYWHERE = {"catsdogs", "GET", "OPTIONS", "DELETE"}


def left_over(text):
    """The words outside all marks, without those that are the same in all languages."""
    outside, _ = _outside(text, 0)
    # {name} is filled in by a script.
    words = re.findall(r"[^\W\d_][\w’'-]*", re.sub(r"\{\w+\}", "", outside))
    return [word for word in words if word not in SAME_EVERYWHERE]


def _outside(text, depth):
    """What of a text is outside all marks, and how deep its end is within them."""
    outside = []
    for letter in text:
        if letter == BEGIN:
            depth += 1
        elif letter == END:
            depth = max(0, depth - 1)
        elif depth == 0:
            outside.append(letter)
    return "".join(outside), depth


class Reader(HTMLParser):
    """Collects the bare words of some HTML, each with the element it is in.

    What says `translate="no"` or `lang="en"` of itself is data, or English on purpose.
    """

    def __init__(self):
        super().__init__()
        self.found = []
        self._open = []  # elements, and whether what is in them counts
        # A translation may hold elements: how deep in marks we are, and which element has to end
        # before a mark that was cut off can hide nothing more.
        self._depth, self._opener = 0, 0

    @property
    def _counts(self):
        return all(counts for _, counts in self._open)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        is_data = attrs.get("translate") == "no" or attrs.get("lang") == "en"
        if self._counts and not is_data:
            for name, value in attrs.items():
                if value and is_heard(tag, name, value, attrs) and left_over(value):
                    self.found.append((f"<{tag} {name}>", _squeezed(value)))
        if tag not in _VOID:
            self._open.append((tag, not is_data and tag not in _CODE))

    def handle_endtag(self, tag):
        while tag in (each for each, _ in self._open):
            if self._open.pop()[0] == tag:
                break
        if len(self._open) < self._opener:
            self._depth = 0

    def handle_data(self, data):
        was_outside = self._depth == 0
        outside, self._depth = _outside(data, self._depth)
        if was_outside:
            self._opener = len(self._open)
        if self._counts and left_over(outside):
            self.found.append((f"<{self._open[-1][0]}>" if self._open else "", _squeezed(data)))


def _squeezed(text):
    return " ".join(text.split())


def is_heard(tag, name, value, attrs):
    """Whether an attribute's value is for people."""
    if name == "content":
        return attrs.get("name") == "description"
    if name == "value":
        return tag == "input" and attrs.get("type") in ("submit", "button", "reset")
    if name.startswith("data-"):  # words have spaces or capitals, as programs' values have not
        words = re.sub(r"\{\w+\}", "", value)
        is_said = re.search(r"[^\W\d_]\W* +\W*[^\W\d_]|^[A-ZÀ-Þ][a-zà-ÿ]", words)
        return bool(is_said) and name not in _FOR_PROGRAMS
    return name in _HEARD


_FOR_PROGRAMS = {"data-offers", "data-target"}


def bare_words(html):
    """The words of some HTML that no translation gave: pairs of a place and a text."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.found


def has_letters(text):
    return bool(_LETTERS.search(text))
