"""Look through raw photos and write down what to train on."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ml.features import Backbone
from ml.preparing import PROBLEMS, prepare


class Command(BaseCommand):
    help = (
        "Looks through SOURCE, which has one sub-folder of photos per label, and writes to another "
        "folder: manifest.csv, the photos to train on with their split, which is drawn by content; "
        "lists and contact sheets of broken files, placeholders, duplicates, near duplicates "
        "(never on different sides of the split) and suspicious labels; a report with the digest "
        "of the data. Nothing in SOURCE is changed. Then: train_model --data data/processed"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="SOURCE", type=Path, help="for instance data/raw")
        parser.add_argument(
            "--to",
            metavar="DIR",
            type=Path,
            default=settings.BASE_DIR / "data" / "processed",
            help="default: %(default)s",
        )
        parser.add_argument(
            "--without-suspicion",
            action="store_true",
            help="do not doubt labels, which takes Keras and, at first, as long as training",
        )

    def handle(self, *args: Any, source: Path, to: Path, **options: Any) -> None:
        cache = settings.FEATURES_DIR
        try:
            backbone = None if options["without_suspicion"] else self._backbone()
            prepare(source, to, backbone=backbone, cache=cache, say=self.stdout.write)
        except PROBLEMS as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. Nothing was written.", returncode=130) from error
        self.stdout.write(f"Look at {to / 'report.md'} and the sheets beside it.")

    def _backbone(self) -> Backbone:
        try:
            # Here and not above: only this needs Keras, and importing it takes seconds.
            from ml.frozen import frozen
        except ImportError as error:
            raise CommandError(
                "Doubting labels needs Keras and TensorFlow: pip install -r requirements.txt, "
                f"or go without, by --without-suspicion ({error})"
            ) from error
        return frozen("efficientnet-lite0")
