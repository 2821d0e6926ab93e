"""The classifier app: system checks are registered when it is ready."""

from django.apps import AppConfig


class ClassifierConfig(AppConfig):
    name = "classifier"

    def ready(self) -> None:
        from classifier import checks, model_words  # noqa: F401  checks registers its own

        model_words.translate(self)
