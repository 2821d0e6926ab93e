"""The feedback app."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    name = "feedback"

    def ready(self) -> None:
        from classifier import model_words

        model_words.translate(self)
