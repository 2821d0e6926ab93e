"""Make the versions under models/ known to the database; one of them is live afterwards."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from classifier.models import ModelVersion
from ml.registry import VersionError, list_versions, load_version


class Command(BaseCommand):
    help = (
        "Registers each version under models/ that the database does not know yet. Where no "
        "version is live, or the live one's folder is gone, the newest goes live: a fresh site "
        "answers, and so does one whose release replaced its version. Harmless to repeat."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        versions = list(map(self._register, list_versions(settings.MODELS_DIR)))
        live = ModelVersion.objects.live().first()
        if versions and live not in versions:
            live = versions[-1]
            live.promote()
        self.stdout.write(f"{len(versions)} versions, live: {live or 'none'}")

    def _register(self, name: str) -> ModelVersion:
        try:
            return ModelVersion.objects.register(load_version(settings.MODELS_DIR / name))
        except VersionError as error:
            raise CommandError(str(error)) from error
