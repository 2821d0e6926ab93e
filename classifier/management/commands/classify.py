"""Ask a version about a photo, a folder, or millions of photos."""

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter
from django.db import Error

from classifier.loading import load, load_folder
from classifier.models import ModelVersion
from classifier.terminal import Pace, Terminal
from ml import bulk
from ml.bulk_files import Printed, Sheet
from ml.bulk_paths import Photos, Seen
from ml.inference import Engine
from ml.registry import VersionError
from ml.rows import Limits

_HELP = """\
Asks the live version, or another one, what photos show: a row for each photo.

PATH is a photo, or a folder, which is looked through with all folders in it, in the order of names.
A photo that is named is asked about whatever its name; in folders those are that end in .jpg, .png,
.webp, .gif, .avif, .heic and the like. Nothing is logged, nothing is kept: the database is asked
only which version is live.

A row has path, answer, label, confidence, probabilities, novelty and version. Where there is no
answer it has path, code and detail instead: a broken photo (broken_image), or one that cannot be
read (unreadable), stops nothing.
"""
_EXAMPLES = """\
examples:
  %(prog)s cat.jpg                                     one photo: a line of JSON
  %(prog)s photos --output rows.csv                    a folder, as CSV
  %(prog)s --from list.txt --output rows.jsonl         the photos that a list names
  find photos -newer rows.csv -name '*.jpg' | %(prog)s --from - --output new.jsonl
  %(prog)s /data/photos --output rows.parquet --cluster tcp://scheduler:8786

going on:
  Ctrl-C, a full disk, a killed process or a power cut do no harm. Give the same command again: it
  goes on where it stopped, and each photo has exactly one row in the end. New photos are added in
  the same way. To ask about some photos again, take their lines out of the CSV or JSON lines first.

exit status:
  0  each photo has its row, also where some of them were refused: see the column code
  1  not done: a problem, which is told, or Ctrl-C; or not one photo could be answered
  2  wrong usage
"""

_STDIN = "-"


class _Help(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    pass


class Command(BaseCommand):
    help = _HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        kwargs |= {"epilog": _EXAMPLES, "formatter_class": _Help}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths", metavar="PATH", nargs="*", type=Path, help="a photo, or a folder of photos"
        )
        parser.add_argument(
            "--from",
            dest="listed",
            metavar="FILE",
            help="a file that names more photos and folders, one a line; - is standard input",
        )
        parser.add_argument(
            "--output",
            metavar="FILE",
            type=Path,
            help="where rows go; its ending says how: .csv, .jsonl (a line of JSON a photo) or "
            ".parquet, which needs pyarrow (default: lines of JSON are printed)",
        )
        parser.add_argument(
            "--overwrite", action="store_true", help="begin again, where FILE has rows already"
        )
        parser.add_argument(
            "--model", metavar="VERSION", help="for instance 2026-11-23.1 (default: the live one)"
        )
        parser.add_argument(
            "--cluster",
            metavar="ADDRESS",
            help="a Dask scheduler, whose workers read and answer the photos; they must see them "
            "under the same paths (docs/scaling.md)",
        )
        self._usage = parser.error

    def handle(self, *args: Any, paths: list[Path], output: Path | None, **options: Any) -> None:
        self._check(paths, output, options["listed"])
        screen = Terminal(self.stderr)
        tally = bulk.Tally()
        try:
            left_out = self._classify(paths, output, screen, tally, **options)
        except BrokenPipeError as error:
            # Else Python would try once more to write what nobody reads, when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise CommandError("Whoever read the rows is gone.") from error
        except (*bulk.PROBLEMS, VersionError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError(_stopped(tally, output)) from error
        finally:
            screen.close()
        self.stderr.write(_summary(tally, left_out, output), style_func=str)
        if tally.refusals and not tally.answers:
            raise CommandError("Not one photo could be answered.")

    def _check(self, paths: list[Path], output: Path | None, listed: str | None) -> None:
        if not paths and listed is None:
            self._usage("which photos? Name a PATH, or a list by --from")
        if output and output.suffix.lower() not in bulk.ENDINGS:
            self._usage(f"--output must end in {', '.join(bulk.ENDINGS)}, not {output.name!r}")
        for path in paths:
            if not path.exists():
                raise CommandError(f"There is no {path}.")

    def _classify(
        self,
        paths: list[Path],
        output: Path | None,
        screen: Terminal,
        tally: bulk.Tally,
        *,
        listed: str | None,
        overwrite: bool,
        model: str | None,
        cluster: str | None,
        **options: Any,
    ) -> dict[str, int]:
        engine = load(_live()) if model is None else load_folder(model)
        # Not where rows go by on the same terminal.
        is_watched = screen.is_terminal and bool(output or not self.stdout.isatty())
        with ExitStack() as stack:
            ask = stack.enter_context(self._asker(engine, cluster, paths, screen))
            sheet = self._sheet(output, engine, overwrite)
            stack.callback(sheet.close)
            total = _count(paths, listed, screen) if is_watched else None
            seen = stack.enter_context(Seen())
            photos = Photos(paths, stack.enter_context(_lines(listed)), seen)
            pace = Pace(screen, total)
            bulk.classify(
                photos,
                sheet,
                ask,
                version=engine.card.version,
                seen=seen,
                tally=tally,
                watch=lambda: pace.look(tally.photos) if is_watched else None,
            )
            return photos.left_out

    @contextmanager
    def _asker(
        self, engine: Engine, cluster: str | None, paths: list[Path], screen: Terminal
    ) -> Iterator[bulk.Asker]:
        limits = Limits(settings.PHOTO_MAX_BYTES, settings.PHOTO_MAX_PIXELS)
        if cluster is None:
            yield bulk.on_this_machine(engine, limits)
            return
        folder = settings.MODELS_DIR / engine.card.version
        with bulk.on_cluster(cluster, folder, engine.card, limits, paths, screen.say) as ask:
            yield ask

    def _sheet(self, output: Path | None, engine: Engine, overwrite: bool) -> Sheet:
        if output is None:
            return Printed(self._print)
        return bulk.open_sheet(output, engine.card.labels, overwrite=overwrite)

    def _print(self, line: str) -> None:
        self.stdout.write(line, ending="")
        self.stdout.flush()  # whoever waits for it has it now


def _live() -> ModelVersion:
    try:
        live = ModelVersion.objects.live().first()
    except Error as error:
        raise CommandError(
            "The database cannot be asked which version is live. Name one by --model, or try again "
            f"({error})."
        ) from error
    if live is None:
        raise CommandError(
            "No version is live. Name one by --model, or let one answer: manage.py register_models"
        )
    return live


@contextmanager
def _lines(listed: str | None) -> Iterator[Iterable[bytes]]:
    """The lines of a list, as they are wanted."""
    if listed is None:
        yield ()
    elif listed == _STDIN:
        yield sys.stdin.buffer
    else:
        with Path(listed).open("rb") as file:
            yield file


def _count(paths: list[Path], listed: str | None, screen: Terminal) -> int | None:
    """How many photos there are, for whoever watches: names alone are looked at."""
    if listed == _STDIN:
        return None
    screen.step(None, "Counting photos")
    with Seen() as seen, _lines(listed) as lines:
        return sum(1 for _ in Photos(paths, lines, seen))


def _stopped(tally: bulk.Tally, output: Path | None) -> str:
    if output is None or not tally.photos:
        return "Stopped."
    return f"Stopped. {tally.photos:,} rows are kept: give the same command again to go on."


def _summary(tally: bulk.Tally, left_out: Mapping[str, int], output: Path | None) -> str:
    photos = f"{tally.photos:,} photo{'' if tally.photos == 1 else 's'}"
    parts = [f"{photos}: {_told(tally.answers) or 'none answered'}" if tally.photos else "No photo"]
    if tally.refusals:
        parts.append(f"{tally.refusals.total():,} refused: {_told(tally.refusals)}")
    if tally.before:
        parts.append(f"{tally.before:,} were there already")
    if left_out:
        parts.append(f"left out: {_told(left_out)}")
    return "; ".join(parts) + (f". The rows are in {output}." if output else ".")


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in sorted(counts.items()))
