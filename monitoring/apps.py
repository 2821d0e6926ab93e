"""The monitoring app: after each migration the database watches which hours change."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        from classifier import model_words
        from monitoring import percentiles

        model_words.translate(self)
        connection_created.connect(percentiles.teach_sqlite)
        post_migrate.connect(_watch, sender=self)


def _watch(using: str, **kwargs: Any) -> None:
    from monitoring import watching

    watching.install(using)
