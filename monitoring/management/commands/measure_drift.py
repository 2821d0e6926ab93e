"""Show how far photos and answers have moved from what a version was made for."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from classifier.models import ModelVersion
from monitoring import figures
from monitoring.figures import Drift, Period
from monitoring.figures.drift import BASELINE, MIN_PHOTOS

_ROW = "{:<14}{:<10}{:>7}{:>8}{:>9}{:>11}  {}"


class Command(BaseCommand):
    help = (
        "Compares a version's photos and answers of the last days with its first thousand "
        "(baseline), and answers, confidence and novelty with its holdout: the population "
        "stability index of each measure, and the limit that chance passes once in a thousand "
        "times with so many photos. People may send something else than the holdout from the "
        "first day on: once there is a baseline, only that decides the exit status. Exit status: "
        "0 within the limits, or too few photos to tell; 1 beyond one; 2 no such version."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # --version is ours: Django's own would print Django's.
        return super().create_parser(
            prog_name, subcommand, **{**kwargs, "conflict_handler": "resolve"}
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--version", dest="of", metavar="VERSION", help="the live one without")
        parser.add_argument(
            "--days", type=float, default=7.0, metavar="N", help="how far to look back (7)"
        )

    def handle(self, *args: Any, of: str | None, days: float, **options: Any) -> None:
        if not 0 < days <= 3650:
            raise CommandError(f"--days is a number from 0 to 3650, not {days}.", returncode=2)
        if of and not ModelVersion.objects.filter(pk=of).exists():
            raise CommandError(f"There is no version {of}.", returncode=2)
        found = figures.drift(Period.last(timedelta(days=days)), of)
        if found.version is None:
            raise CommandError("No version is live: name one with --version.", returncode=2)
        self._print(found, days)
        decides = BASELINE if found.has_baseline else None
        if any(decides in (None, each.reference) for each in found.alarms):
            raise SystemExit(1)

    def _print(self, found: Drift, days: float) -> None:
        first = "" if found.has_baseline else "; it has no baseline yet"
        self.stdout.write(
            f"Version {found.version}, last {days:g} days: {found.photos} photos{first}."
        )
        if found.photos < MIN_PHOTOS:
            self.stdout.write(f"Fewer than {MIN_PHOTOS} photos tell nothing.")
        if not found.moved:
            return
        self.stdout.write(
            _ROW.format("measure", "against", "index", "limit", "photos", "reference", "")
        )
        for each in found.moved:
            self.stdout.write(
                _ROW.format(
                    each.measure,
                    each.reference,
                    f"{each.index:.3f}",
                    f"{each.limit:.3f}",
                    each.photos,
                    each.reference_photos,
                    "beyond the limit" if each.is_alarm else "",
                ).rstrip()
            )
