"""Train a version on a folder of labelled photos and register it as a candidate."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from classifier.models import ModelVersion
from ml import train_options
from ml.registry import Card


class Command(BaseCommand):
    help = (
        f"{train_options.WHAT_IT_DOES} The new version is a candidate under models/; promote_model "
        "lets it answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        train_options.add_arguments(parser, settings.DATA_DIR)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            card = self._train(**options)
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. No version was saved.") from error
        if not options["dry_run"]:
            ModelVersion.objects.register(card)
            self.stdout.write(f"Let it answer with: manage.py promote_model {card.version}")

    def _train(self, **options: Any) -> Card:
        try:
            # Here and not above: only training needs Keras, and importing it takes seconds.
            from ml.training import PROBLEMS, about_from, config_from, train_version
        except ImportError as error:
            raise CommandError(
                f"Training needs Keras and TensorFlow: pip install -r requirements.txt ({error})"
            ) from error
        try:
            return train_version(
                options["data"],
                settings.MODELS_DIR,
                settings.FEATURES_DIR,
                config_from(**options),
                about=about_from(**options),
                dry_run=options["dry_run"],
                say=self.stdout.write,
            )
        except PROBLEMS as error:
            raise CommandError(str(error)) from error
