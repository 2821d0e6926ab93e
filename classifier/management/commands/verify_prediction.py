"""Ask a logged prediction's version about its photo again, and compare."""

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classifier.models import Prediction
from classifier.verifying import TOLERANCE, Item, VerifyError, verify_prediction


class Command(BaseCommand):
    help = (
        "Shows the kept photo of the prediction ID to the version that answered, and compares "
        "answer, numbers, photo and version with the receipt: a line each. Exit status 0 if all "
        "is the same, 1 if anything differs or cannot be compared any more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", metavar="ID", help="the prediction's, as the API gives it")
        parser.add_argument(
            "--tolerance",
            type=float,
            default=TOLERANCE,
            metavar="X",
            help="by how much a probability, or the novelty, may differ: processors do not all "
            "round alike (default: %(default)s)",
        )

    def handle(self, *args: Any, id: str, tolerance: float, **options: Any) -> None:
        prediction = _find(id)
        try:
            items = verify_prediction(prediction, tolerance)
        except VerifyError as error:
            raise CommandError(f"Prediction {prediction.pk} cannot be verified. {error}") from error
        for item in items:
            self.stdout.write(_line(item))
        different = [item.name for item in items if not item.same]
        if different:
            raise CommandError(f"Not the same: {', '.join(different)}.")
        self.stdout.write(f"All the same; numbers within {tolerance}.")


def _find(text: str) -> Prediction:
    try:
        wanted = uuid.UUID(text)
    except ValueError as error:
        raise CommandError(f"A prediction's id is a UUID. Received: {text!r}") from error
    prediction = Prediction.objects.select_related("version").filter(pk=wanted).first()
    if prediction is None:
        raise CommandError(f"There is no prediction {wanted}: it never was, or it was erased.")
    return prediction


def _line(item: Item) -> str:
    if item.same and item.logged == item.found:
        return f"same       {item.name}: {item.logged}"
    word = "near      " if item.same else "DIFFERENT "
    return f"{word} {item.name}: {item.logged} was logged, {item.found} now"
