"""Let another version answer."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from classifier.models import ModelVersion
from ml.registry import VersionError, load_version


class Command(BaseCommand):
    help = (
        "Makes VERSION, a folder under models/, the one that answers. Its files are checked first; "
        "running servers follow within seconds, without a dropped request."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="for instance 2026-11-23.1")

    def handle(self, *args: Any, version: str, **options: Any) -> None:
        try:
            card = load_version(settings.MODELS_DIR / version)
        except VersionError as error:
            raise CommandError(str(error)) from error
        ModelVersion.objects.register(card).promote()
        self.stdout.write(f"{version} is live.")
