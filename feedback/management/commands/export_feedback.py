"""Feedback as CSV, and the approved photos as a folder to train on."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback.exporting import write_feedback, write_photos


class Command(BaseCommand):
    help = (
        "Writes all feedback as CSV: what was answered, what people said, what reviewers decided; "
        "no names. With --photos, copies the photos that reviewers approved and that may be learnt "
        "from: to DIR/labels, one sub-folder per label, which train_model --data takes once there "
        "are enough of them, and to DIR/neither, for evaluate_model --neither. These copies are "
        "yours: when somebody takes a photo back, nobody erases it there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="where the CSV goes (default: printed)"
        )
        parser.add_argument(
            "--photos", type=Path, metavar="DIR", help="copy the approved photos there"
        )

    def handle(self, *args: Any, output: Path | None, photos: Path | None, **options: Any) -> None:
        try:
            if output is None:
                write_feedback(self.stdout)
            else:
                self._write(output)
            if photos is not None:
                self._copy(photos)
        except OSError as error:
            raise CommandError(str(error)) from error

    def _write(self, output: Path) -> None:
        aside = output.with_name(f".{output.name}.new")
        try:
            with aside.open("w", encoding="utf-8", newline="") as file:
                number = write_feedback(file)
            aside.replace(output)
        finally:
            aside.unlink(missing_ok=True)
        self.stderr.write(f"{number} opinions written to {output}.")

    def _copy(self, photos: Path) -> None:
        counts = write_photos(photos)
        told = ", ".join(f"{number} × {label}" for label, number in sorted(counts.items()))
        self.stderr.write(f"Copied to {photos}: {told or 'nothing, no photo is approved'}.")
