"""Learn from the feedback that reviewers approved."""

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classifier.terminal import Terminal
from feedback import retraining, tasks
from feedback.heartbeat import RunFailed, Stopped, at_work
from feedback.models import TrainingRun


class Command(BaseCommand):
    help = (
        "Refits the live version on its base and on the feedback that reviewers approved, judges "
        "the candidate against the live version on the same photos, and lets it answer if it "
        "passed; running servers follow within seconds. Does nothing where nothing was approved or "
        "taken back since the last time. Exit status: 0 promoted, or nothing to learn; 1 refused, "
        "failed, cancelled, or another one is going on; 2 wrong usage. Ctrl-C leaves nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="train even if there is nothing new to learn"
        )
        parser.add_argument(
            "--run",
            type=uuid.UUID,
            metavar="ID",
            help="work on a waiting run, out of the way of others: what the page's button starts",
        )

    def handle(self, *args: Any, force: bool, run: uuid.UUID | None, **options: Any) -> None:
        screen = Terminal(self.stdout)
        try:
            mine = self._find(run) if run else retraining.ask(tasks.account(), force=force)
            with at_work(mine, screen) as heart:
                retraining.retrain(mine, heart)
        except (tasks.AlreadyRunning, RunFailed, Stopped) as error:
            raise CommandError(str(error)) from error
        finally:
            screen.close()
        self._tell(mine)

    def _find(self, run_id: uuid.UUID) -> TrainingRun:
        tasks.step_aside()
        run = TrainingRun.objects.filter(pk=run_id).first()
        if run is None:
            raise CommandError(f"There is no retraining {run_id}.")
        return run

    def _tell(self, run: TrainingRun) -> None:
        for line in retraining.lines_of(run):
            self.stdout.write(line)
        match run.outcome:
            case TrainingRun.Outcome.PROMOTED:
                self.stdout.write(
                    f"{run.candidate_id} passed and is live instead of {run.live_id}."
                )
            case TrainingRun.Outcome.REFUSED:
                raise CommandError(
                    f"{run.candidate_id} was refused, {run.live_id} stays live. {run.problem}"
                )
