"""Bring the catalogues of translations up to date with the words in the code."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Collects all words of the site that are marked for translation into "
        "locale/LANGUAGE/LC_MESSAGES/django.po, one for each language of LANGUAGES, and compiles "
        "it to django.mo, which is what the site reads. Translations are kept, words that are "
        "gone are dropped, new ones are listed: write their translations, then run it again. For "
        "developers: make setup installs what it needs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--also",
            type=Path,
            action="append",
            default=[],
            metavar="PO",
            help="take translations from there too, where ours has none (after a merge)",
        )

    def handle(self, *args: Any, also: list[Path], **options: Any) -> None:
        # Babel is not there where nothing is developed.
        from catsdogs import messages

        for language in messages.languages():
            catalog = messages.updated(language, also)
            path = messages.place(language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(messages.as_po(catalog))
            path.with_suffix(".mo").write_bytes(messages.as_mo(catalog))
            missing = messages.untranslated(catalog)
            self.stdout.write(
                f"{language}: {len(catalog)} messages, {len(missing)} without a translation."
            )
            for message in missing:
                self.stdout.write(f"  {message.id!r} in {message.locations[0][0]}")
