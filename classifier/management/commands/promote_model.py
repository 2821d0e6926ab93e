"""Let another version answer."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classifier.promoting import promote_version, this_user
from ml.registry import VersionError


class Command(BaseCommand):
    help = (
        "Makes VERSION, a folder under models/, the one that answers. Its files are checked first; "
        "running servers follow within seconds, without a dropped request. rollback_model goes "
        "back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="for instance 2026-11-23.1")

    def handle(self, *args: Any, version: str, **options: Any) -> None:
        try:
            promote_version(version, by=this_user(otherwise="promote_model"))
        except VersionError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{version} is live.")
