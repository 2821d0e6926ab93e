"""Train a version on a folder of labelled photos and register it as a candidate."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from classifier.models import ModelVersion
from ml.registry import Card


class Command(BaseCommand):
    help = (
        "Trains on DIR, which has one sub-folder of photos per label, two labels or many: looks at "
        "each photo once (features are kept in var/features), fits a head, calibrates it, scores "
        "it on photos it never saw, exports it and saves it under models/ with its checksums. The "
        "new version is a candidate: promote_model lets it answer. Nothing in DIR is changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--data",
            metavar="DIR",
            type=Path,
            default=settings.DATA_DIR,
            help="default: %(default)s",
        )
        parser.add_argument(
            "--architecture",
            metavar="NAME",
            default="efficientnet-lite0",
            help="default: %(default)s",
        )
        parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
        parser.add_argument("--dry-run", action="store_true", help="do all of it but save nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            card = self._train(**options)
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. No version was saved.") from error
        if not options["dry_run"]:
            ModelVersion.objects.register(card)
            self.stdout.write(f"Let it answer with: manage.py promote_model {card.version}")

    def _train(self, *, data: Path, architecture: str, seed: int, dry_run: bool, **_: Any) -> Card:
        try:
            # Here and not above: only training needs Keras, and importing it takes seconds.
            from ml.training import PROBLEMS, TrainConfig, train_version
        except ImportError as error:
            raise CommandError(
                f"Training needs Keras and TensorFlow: pip install -r requirements.txt ({error})"
            ) from error
        try:
            return train_version(
                data,
                settings.MODELS_DIR,
                settings.VAR_DIR / "features",
                TrainConfig(architecture=architecture, seed=seed),
                dry_run=dry_run,
                say=self.stdout.write,
            )
        except PROBLEMS as error:
            raise CommandError(str(error)) from error
