"""The classifier app: system checks are registered when it is ready."""

from django.apps import AppConfig


class ClassifierConfig(AppConfig):
    name = "classifier"

    def ready(self) -> None:
        from classifier import checks  # noqa: F401  registers them
