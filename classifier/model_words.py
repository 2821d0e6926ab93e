"""What Django calls our apps, models and fields, in the language of whoever reads it.

Django makes these words from the names in the code. Translating them here, once all models are
there, needs neither a `verbose_name` for each field nor a migration for each word.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig
from django.db.models import Model
from django.utils import translation
from django.utils.translation import pgettext_lazy

# The context of these words in the catalogue.
CONTEXT = "admin"


def translate(config: AppConfig) -> None:
    """Let the words of an app and of its models be translated whenever they are read."""
    config.verbose_name = _translated(config.verbose_name)
    for model in config.get_models():
        for owner, name in _places_of(model):
            setattr(owner, name, _translated(getattr(owner, name)))


def words_of(config: AppConfig) -> Iterator[tuple[str, str]]:
    """What is to be in the catalogue: modules, and the English words of their models."""
    with translation.override(None):
        yield type(config).__module__, str(config.verbose_name)
        for model in config.get_models():
            for owner, name in _places_of(model):
                words = getattr(owner, name)
                labels = [label for _, label in words] if name == "choices" else [words]
                yield from ((model.__module__, str(label)) for label in labels)


def _places_of(model: type[Model]) -> Iterator[tuple[Any, str]]:
    """Each object of a model that has words, and the name of its attribute that holds them."""
    yield model._meta, "verbose_name"
    yield model._meta, "verbose_name_plural"
    for field in model._meta.local_fields:
        names = ("verbose_name", "help_text", "choices")
        yield from ((field, name) for name in names if getattr(field, name))


def _translated(words: Any) -> Any:
    if isinstance(words, list):
        return [(value, pgettext_lazy(CONTEXT, label)) for value, label in words]
    return pgettext_lazy(CONTEXT, words)
