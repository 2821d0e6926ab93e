"""Score a version on labelled photos, exactly as it answers."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ml.evaluating import PROBLEMS, add_arguments, evaluate_version, plan_from
from ml.inference import OnnxEngine


class Command(BaseCommand):
    help = (
        "Scores VERSION on the photos of DIR, which has one sub-folder per label: on the tenth of "
        "them that training never sees, or on all of them with --all. Prints scores with 95 % "
        "intervals, by slice, and the surest errors; --report writes them down, with figures."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser, settings.DATA_DIR)

    def handle(self, *args: Any, version: str, **options: Any) -> None:
        try:
            engine = OnnxEngine(settings.MODELS_DIR / version)
            evaluate_version(engine, plan_from(options), self.stdout.write)
        except PROBLEMS as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. No report was written.") from error
