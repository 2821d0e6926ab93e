"""Say in the reader's language what was written down in English.

A run tells its story in English: in the database, in verdicts, in a version's card. Here the
pattern of each sentence is found again, and its translation filled in with the same figures.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from django.utils.translation import get_language, gettext, gettext_noop

from feedback.readings import localised, percentage

# Whoever says something that is written down. They are read and not loaded: some load networks,
# and what is marked within a function is not known before that has run.
_SPEAKERS = (
    *("classifier.loading", "classifier.promoting", "classifier.serving", "classifier.versions"),
    "classifier.naming",
    *("feedback.going_live", "feedback.heartbeat", "feedback.replaying", "feedback.retelling"),
    *("feedback.retraining", "feedback.shelf", "feedback.tasks"),
    *("ml.bases", "ml.heads", "ml.inference", "ml.lessons", "ml.promotion", "ml.refitting"),
    *("ml.registry", "ml.report", "ml.slices"),
)
# What is filled in there is a name and never words: a version may be called anything.
_NAMES = {"version", "live", "candidate", "name", "host", "file", "by", "folder"}
# What is filled in there is one word, mostly a number.
_SHORT = {
    *("version", "live", "candidate", "name", "new", "old", "photos", "broken", "mended", "chance"),
    *("allowed", "limit", "share", "before", "after", "right", "wrong", "done", "total"),
}
# What is filled in there may be sentences.
_STORIES = {"problem", "found", "reason", "advice"}
_PLACE = re.compile(r"%\((\w+)\)s")
_NUMBER = re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?(e[+-]?\d+)?")
_END = re.compile(r"(?<=[.!?]) ")
# Whoever wrote more sentences than this in one breath is not understood, nor so long a one.
_MOST, _LONGEST = 60, 1000

# What the database calls the states and outcomes of a run.
_STATES = (
    *(gettext_noop("waiting"), gettext_noop("running"), gettext_noop("done")),
    *(gettext_noop("failed"), gettext_noop("cancelled"), gettext_noop("lost")),
    *(gettext_noop("promoted"), gettext_noop("refused"), gettext_noop("unchanged")),
)
# What cards call the parts of a data set.
_SPLITS = (gettext_noop("train"), gettext_noop("calibration"), gettext_noop("holdout"))


@dataclass(frozen=True)
class Piece:
    """Some sentences; `is_told`: in the reader's language, else in English."""

    text: str
    is_told: bool


def retell(text: str) -> str:
    """A text that was written in English, in the reader's language as far as it is known."""
    return " ".join(piece.text for piece in pieces(text))


def pieces(text: str) -> list[Piece]:
    """The same, part by part."""
    if (get_language() or "en").startswith("en"):
        return [Piece(text, True)]
    whole = _told(text)
    if whole is not None:
        return [Piece(whole, True)]
    return list(_sentence_by_sentence(_END.split(text)))


def _sentence_by_sentence(sentences: list[str]) -> Iterator[Piece]:
    """As many at once as one pattern fits: some patterns are two sentences long."""
    start = 0
    while start < len(sentences):
        for end in range(min(len(sentences), start + _MOST), start, -1):
            told = _told(" ".join(sentences[start:end])) if len(sentences) <= _MOST else None
            if told is not None:
                yield Piece(told, True)
                break
        else:
            end = start + 1
            yield Piece(sentences[start], False)
        start = end


def _told(text: str) -> str | None:
    """A text in the reader's language; None where no pattern fits."""
    if text in _marked():
        return gettext(text)
    if _is_number(text):
        return _number(text)
    for pattern, message in _patterns() if len(text) <= _LONGEST else []:
        if found := pattern.fullmatch(text):
            parts = {name: _part(name, part) for name, part in found.groupdict().items()}
            return gettext(message) % parts
    return None


def _part(name: str, text: str) -> str:
    return text if name in _NAMES else retell(text)


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text.removesuffix("%")) is not None


def _number(text: str) -> str:
    return percentage(text[:-1]) if text.endswith("%") else localised(text)


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """A pattern for each message with something to fill in, the wordiest first."""
    messages = sorted(filter(_PLACE.search, _marked()), key=_wordiness, reverse=True)
    return [(_pattern(message), message) for message in messages]


def _wordiness(message: str) -> tuple[int, str]:
    return len(_PLACE.sub("", message)), message


def _pattern(message: str) -> re.Pattern[str]:
    words = _PLACE.split(message)  # words, a name, words, a name, …, words
    parts = [
        _place(part) if at % 2 else re.escape(part.replace("%%", "%"))
        for at, part in enumerate(words)
    ]
    return re.compile("".join(parts), re.DOTALL)


def _place(name: str) -> str:
    """What may be filled in: no sentence ends in it, unless it is a story of its own."""
    if name in _STORIES:
        return f"(?P<{name}>.+)"
    return rf"(?P<{name}>\S+)" if name in _SHORT else rf"(?P<{name}>(?:(?![.!?] ).)+)"


@cache
def _marked() -> frozenset[str]:
    """All that the speakers mark for translation."""
    return frozenset(text for name in _SPEAKERS for text in _marked_in(name))


def _marked_in(module: str) -> Iterator[str]:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"There is no module {module} to look for sentences in.")
    for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        match node:
            case ast.Call(
                func=ast.Name(id="gettext_noop" | "Sentence"), args=[ast.Constant(str(text)), *_]
            ):
                yield text
