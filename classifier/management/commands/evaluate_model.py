"""Score a version on labelled photos, exactly as it answers."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ml.evaluation import (
    answered_all_the_same,
    describe,
    describe_neither,
    detail,
    evaluate,
)
from ml.examples import in_split
from ml.inference import OnnxEngine
from ml.registry import VersionError
from ml.sources import DataError, read_source


class Command(BaseCommand):
    help = (
        "Scores VERSION on the photos of DIR, which has one sub-folder per label: on the tenth of "
        "them that training never sees, or on all of them with --all. Prints scores with 95 % "
        "intervals, by slice, and the surest errors."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="for instance 2026-11-23.1")
        parser.add_argument(
            "--data",
            metavar="DIR",
            type=Path,
            default=settings.DATA_DIR,
            help="default: %(default)s",
        )
        parser.add_argument(
            "--all", action="store_true", help="all photos: for a folder it was not trained on"
        )
        parser.add_argument(
            "--neither",
            metavar="DIR",
            type=Path,
            help="show it photos of something else instead, and count those it answers",
        )

    def handle(self, *args: Any, version: str, **options: Any) -> None:
        try:
            lines = self._evaluate(OnnxEngine(settings.MODELS_DIR / version), **options)
        except (VersionError, DataError, ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped.") from error
        for line in lines:
            self.stdout.write(line)

    def _evaluate(
        self, engine: OnnxEngine, *, data: Path, neither: Path | None, **options: Any
    ) -> list[str]:
        if neither:
            return describe_neither(*answered_all_the_same(engine, neither))
        source = read_source(data)
        chosen = source.examples if options["all"] else in_split(source.examples, "holdout")
        evaluation = evaluate(engine, chosen)
        return [*source.report(), describe(evaluation), *detail(evaluation)]
