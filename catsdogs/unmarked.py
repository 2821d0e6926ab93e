"""Words to translate that no call in the code marks: of our TOML files, and of our models."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps

from classifier import model_words

# In each of them, what is there to be read; see `monitoring.saying.from_file`.
_FILES = {
    "monitoring/ml_test_score.toml": ("section", "title", "how"),
    "monitoring/rules.toml": ("title", "do"),
}
_APPS = ("classifier", "feedback", "monitoring")


def unmarked(root: Path) -> Iterator[tuple[str, str | None, str]]:
    """Where, in which context, the words."""
    for name, keys in _FILES.items():
        for words in _named(tomllib.loads((root / name).read_text(encoding="utf-8")), keys):
            yield name, None, words
    for app in _APPS:
        for module, words in model_words.words_of(apps.get_app_config(app)):
            yield f"{module.replace('.', '/')}.py", model_words.CONTEXT, words


def _named(table: Any, keys: tuple[str, ...]) -> Iterator[str]:
    """The values of some keys, however deep they lie."""
    for key, value in table.items():
        tables = value if isinstance(value, list) else [value]
        if key in keys:
            yield value
        for each in tables:
            if isinstance(each, dict):
                yield from _named(each, keys)
