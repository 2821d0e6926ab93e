"""Keep the sums that figures are read from: for a timer, every few minutes."""

import os
import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from monitoring.rollup import roll_up


class Command(BaseCommand):
    help = (
        "Sums up the predictions and the feedback of the hours that are over, and of those that "
        "changed since, so that figures over months take milliseconds. Doing it twice, or not at "
        "all, changes no figure; stopped in the middle, it goes on from there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--niceness",
            type=int,
            choices=range(20),
            default=0,
            metavar="0-19",
            help="how far to stand back behind other processes, where there are too few cores",
        )

    def handle(self, *args: Any, niceness: int, **options: Any) -> None:
        if niceness and hasattr(os, "nice"):  # not on Windows
            os.nice(niceness)
        hours = roll_up(say=self._say)
        self.stdout.write(f"{hours} hours summed up.")

    def _say(self, until: datetime) -> None:
        if sys.stdout.isatty():
            self.stdout.write(f"until {until:%Y-%m-%d %H:%M} UTC\r", ending="")
            self.stdout.flush()
