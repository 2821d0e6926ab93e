"""Erase photos whose end date has passed: for a daily timer."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from classifier import storage


class Command(BaseCommand):
    help = (
        "Erases the photos that nobody consented to keep and whose CATSDOGS_PHOTO_KEEP_DAYS are "
        "over, and what an interrupted upload left behind. Predictions stay, without their photo."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        forgotten = storage.forget_expired()
        orphans = storage.forget_orphans(timezone.now() - timedelta(days=1))
        self.stdout.write(f"{forgotten} photos and {orphans} orphans erased.")
