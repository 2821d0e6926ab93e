"""Evaluate a version as a command asks for it: the flow that both commands share."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ml.evaluation import describe, detail, evaluate
from ml.evaluation_report import NAMES, REPORT, Found, write_report
from ml.examples import in_split
from ml.folders import holds_something_else, lies_with
from ml.inference import Engine
from ml.registry import CARD, VersionError
from ml.robustness import Tried, choose_sample, try_changes
from ml.sources import DataError, read_source
from ml.strangers import Strangers, describe_strangers, show_strangers


class ReportError(Exception):
    """A report cannot be written where, or as, it was asked for; the message says why."""


# What `evaluate_version` may raise that its caller can tell a person: each says what to do.
PROBLEMS = (VersionError, DataError, ReportError, ValueError, OSError)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to evaluate a version on, and what to write.

    Attributes:
        data: Labelled photos; None to show photos of something else alone.
        everything: Score all of them, not the holdout alone.
        neither: Photos of something else.
        robustness: Ask about changed photos too.
        report: Folder to write.
    """

    data: Path | None
    everything: bool = False
    neither: Path | None = None
    robustness: bool = False
    report: Path | None = None

    def command(self, version: str) -> str:
        """The command that does this."""
        parts = ["python -m ml evaluate", version]
        parts += [f"--data {self.data}"] if self.data else []
        parts += ["--all"] if self.everything else []
        parts += [f"--neither {self.neither}"] if self.neither else []
        parts += ["--robustness"] if self.robustness else []
        parts += [f"--report {self.report}"] if self.report else []
        return " ".join(parts)


def add_arguments(parser: ArgumentParser, default_data: Path) -> None:
    """The arguments of a command that evaluates; `plan_from` reads what they give."""
    parser.add_argument("version", metavar="VERSION", help="for instance 2026-11-23.1")
    parser.add_argument(
        "--data", metavar="DIR", type=Path, help=f"a sub-folder per label; default: {default_data}"
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="all photos, not the holdout alone: for a folder it was not trained on",
    )
    parser.add_argument(
        "--neither",
        metavar="DIR",
        type=Path,
        help="show it photos of something else, and count those it answers, by sub-folder or by "
        "what their names begin with; without --data and --report it does only that",
    )
    parser.add_argument(
        "--robustness", action="store_true", help="ask again about some photos, changed in 10 ways"
    )
    parser.add_argument(
        "--report",
        metavar="DIR",
        type=Path,
        help="write a report with figures and the worst errors; needs Matplotlib",
    )
    parser.set_defaults(default_data=default_data)


def plan_from(options: Mapping[str, Any]) -> Plan:
    """The plan that `add_arguments` lets a person make."""
    only_neither = options["neither"] and not (options["report"] or options["robustness"])
    return Plan(
        data=options["data"] or (None if only_neither else options["default_data"]),
        everything=options["all"],
        neither=options["neither"],
        robustness=options["robustness"],
        report=options["report"],
    )


def evaluate_version(engine: Engine, plan: Plan, say: Say) -> None:
    """Ask a version, say what came of it, and write a report if one is wanted.

    Args:
        engine: The version, running exactly as it serves.
        plan: What to ask and what to write.
        say: Told what has been found, a line at a time.

    Raises:
        DataError: if there are no photos to ask about.
        ReportError: if the report's folder holds something else, or Matplotlib is missing.
        ValueError: if a label is not the version's, or no photo can be decoded.
        OSError: if the report cannot be written; then nothing of it is there.
    """
    # First, what would be a pity to find out last.
    figures = _prepare_report(plan) if plan.report else None
    strangers = show_strangers(engine, plan.neither) if plan.neither else None
    if plan.data:
        found = _ask(engine, plan, plan.data, strangers, say)
        if figures and plan.report:
            drawn = figures.figures_of(
                found.evaluation, found.card, strangers=strangers, tried=found.tried
            )
            write_report(found, drawn, plan.report)
            say(f"Look at {plan.report / REPORT}.")
    elif strangers:
        _say_all(describe_strangers(strangers), say)


def _ask(engine: Engine, plan: Plan, data: Path, strangers: Strangers | None, say: Say) -> Found:
    source = read_source(data, to_train=not plan.everything)
    chosen = source.examples if plan.everything else in_split(source.examples, "holdout")
    evaluation = evaluate(engine, chosen)
    shown = evaluation.asked.examples
    tried = try_changes(engine, choose_sample(shown)) if plan.robustness else []
    _say_all([*source.report(), describe(evaluation), *detail(evaluation)], say)
    _say_all(map(_describe_tried, tried), say)
    if strangers:
        _say_all(describe_strangers(strangers), say)
    which = "all" if plan.everything else "the holdout, a tenth chosen by content"
    command = plan.command(engine.card.version)
    return Found(engine.card, command, f"{which}, of `{data}`", evaluation, strangers, tried)


def _prepare_report(plan: Plan) -> ModuleType:
    """Check the place, and load what draws."""
    _check_place(plan)
    try:
        # Here and not above: only a report needs Matplotlib. Not "from ml", which would find it
        # as an attribute of the package without importing it.
        import ml.figures as figures
    except ImportError as error:
        raise ReportError(
            f"A report needs Matplotlib: pip install -r requirements.txt, or matplotlib ({error})"
        ) from error
    return figures


def _check_place(plan: Plan) -> None:
    to = plan.report
    if to is None:
        return
    for photos in filter(None, (plan.data, plan.neither)):
        if lies_with(to, photos):
            raise ReportError(f"{to} and {photos} lie one in the other; a report needs a folder.")
    if any((place / CARD).exists() for place in (to, *to.resolve().parents)):
        raise ReportError(f"{to} is in a version's folder; a report shows photos, a version none.")
    if holds_something_else(to, lambda names: names <= NAMES):
        raise ReportError(
            f"{to} holds something else than a report, which would be lost. "
            "Name another folder, or empty it."
        )


def _describe_tried(tried: Tried) -> str:
    return (
        f"{tried.change:24} {tried.accuracy:8.2%} of {tried.count:6}, "
        f"{tried.told.answered:.2%} answered, {tried.moved:.2%} told something else"
    )


def _say_all(lines: Iterable[str], say: Say) -> None:
    for line in lines:
        say(line)
