"""Show logged photos to another version."""

import uuid
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classifier.models import ModelVersion
from classifier.terminal import Terminal
from feedback import replaying, tasks
from feedback.heartbeat import RunFailed, Stopped, at_work
from feedback.models import Replay


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= replaying.MOST:
        raise ArgumentTypeError(f"a number from 1 to {replaying.MOST:,}, not {text!r}")
    return int(text)


class Command(BaseCommand):
    help = (
        "Shows the last N logged photos that are still kept, each once, to VERSION: how often it "
        "says the same, which answers change, which of the two is right more often where reviewers "
        "or senders said what a photo shows, and which is faster. An interrupted replay goes on "
        "where it was when the same command is given again. Pictures are on the page /replays. "
        "Exit status: 0 done; 1 failed, stopped, or going on already; 2 wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "version", metavar="VERSION", nargs="?", help="for instance 2026-11-23.1"
        )
        parser.add_argument(
            "--last",
            type=_number,
            default=replaying.DEFAULT_LAST,
            metavar="N",
            help="how many photos (default: %(default)s)",
        )
        parser.add_argument(
            "--anew", action="store_true", help="begin again, even where an earlier one can go on"
        )
        parser.add_argument(
            "--run",
            type=uuid.UUID,
            metavar="ID",
            help="work on a waiting run, out of the way of others: what the page starts",
        )
        self._usage = parser.error

    def handle(self, *args: Any, **options: Any) -> None:
        screen = Terminal(self.stdout)
        try:
            mine = self._find(options["run"]) if options["run"] else self._ask(**options)
            with at_work(mine, screen) as heart:
                replaying.replay(mine, heart)
        except Stopped as error:
            raise CommandError(f"{error} What it did is kept: give the command again.") from error
        except (tasks.AlreadyRunning, RunFailed) as error:
            raise CommandError(str(error)) from error
        finally:
            screen.close()
        for line in _lines(mine):
            self.stdout.write(line)

    def _find(self, run_id: uuid.UUID) -> Replay:
        tasks.step_aside()
        run = Replay.objects.filter(pk=run_id).first()
        if run is None:
            raise CommandError(f"There is no replay {run_id}.")
        return run

    def _ask(self, version: str | None, last: int, anew: bool, **options: Any) -> Replay:
        if version is None:
            self._usage("Which VERSION?")
        known = ModelVersion.objects.filter(pk=version).first()
        if known is None:
            names = ", ".join(ModelVersion.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no version {version!r}. Registered: {names}")
        replay, goes_on = replaying.ask(known, last, tasks.account(), anew=anew)
        if goes_on:
            self.stdout.write(
                f"This goes on with the replay of {replay.created_at:%Y-%m-%d %H:%M}, which has "
                f"{replay.answers.count()} answers already; --anew begins again."
            )
        return replay


def _lines(replay: Replay) -> Iterator[str]:
    found = replay.summary or {}
    photos, skipped, paired = found["photos"], found["skipped"], found["paired"]
    yield (
        f"{photos} photos shown to {replay.version_id}; left out: {skipped['erased']} erased, "
        f"{skipped['broken']} broken."
    )
    if not photos:
        return
    yield f"{found['changed']} answers change, {1 - found['changed'] / photos:.2%} stay:"
    for old, row in found["matrix"].items():
        yield f"  {old} → " + ", ".join(f"{new} {count}" for new, count in row.items())
    if paired["photos"]:
        yield (
            f"Of {paired['photos']} photos that somebody named: both right {paired['both']}, only "
            f"the old answer {paired['only_old']}, only the new one {paired['only_new']}, neither "
            f"{paired['neither']}; by chance alone as far apart with a probability of "
            f"{paired['p']:.3f} (exact McNemar test)."
        )
    else:
        yield "Nobody said of any of these photos what it shows: which is right is not known."
    yield (
        f"Median time in the model: {found['version_ms']:.1f} ms; logged were "
        f"{found['logged_ms']:.1f} ms, under the load of other times."
    )
    if timing := found["side_by_side"]:
        yield (
            f"Side by side on {timing['photos']} photos: {timing['version_ms']:.1f} ms, "
            f"{timing['live']}, which is live, {timing['live_ms']:.1f} ms."
        )
