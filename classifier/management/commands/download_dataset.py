"""Fetch Microsoft's cat and dog photos to train on."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ml import download


class Command(BaseCommand):
    help = (
        "Fetches Microsoft's cat and dog photos, 825 MB, checks the SHA-256 and unpacks them to "
        "DIR/cat and DIR/dog. Run it again after a cut or Ctrl-C: it goes on where it stopped. The "
        "photos' own terms are research use; some of them are broken, see prepare_data."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--url",
            default=download.OFFICIAL.url,
            help="another address of the same file; default: %(default)s",
        )
        parser.add_argument(
            "--to",
            metavar="DIR",
            type=Path,
            default=settings.DATA_DIR,
            help="default: %(default)s",
        )

    def handle(self, *args: Any, url: str, to: Path, **options: Any) -> None:
        archive = replace(download.OFFICIAL, url=url)
        try:
            done = download.download(archive, to, say=self.stdout.write)
        except download.DownloadError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError(
                "Stopped. Run this again to go on from there.", returncode=130
            ) from error
        folders = f"{to / 'cat'} and {to / 'dog'}"
        self.stdout.write(
            f"The photos lie in {folders}." if done else f"There already: {folders}. Nothing to do."
        )
        self.stdout.write(f"Next: manage.py prepare_data {to}")
