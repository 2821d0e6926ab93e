"""`python -m ml train|evaluate|base|predict`: the learner from a command line, without Django."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ml import evaluating, train_options
from ml.base import BaseError
from ml.base_making import make_base
from ml.bulk_forms import json_line
from ml.inference import OnnxEngine
from ml.rows import Limits, answer_file, written
from ml.sources import DataError, read_source


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status is 0, or 1 with a message about what went wrong."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except evaluating.PROBLEMS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; nothing half-written is left.", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml", description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("models"), help="where versions live")
    commands = parser.add_subparsers(required=True)

    train = commands.add_parser(
        "train", help="train a version", description=train_options.WHAT_IT_DOES
    )
    train_options.add_arguments(train, Path("data/raw"))
    train.add_argument("--cache", type=Path, default=Path("var/features"), help="kept features")
    train.set_defaults(command=_train)

    scores = commands.add_parser("evaluate", help="score a version on photos it never saw")
    evaluating.add_arguments(scores, Path("data/raw"))
    scores.set_defaults(command=_evaluate)

    base = commands.add_parser(
        "base", help="make what a version learns feedback on; train does it by itself"
    )
    base.add_argument("--version", required=True, help="for instance 2026-11-23.1")
    base.add_argument("--data", type=Path, default=Path("data/raw"), help="what it was trained on")
    base.add_argument("--neither", type=Path, help="photos of something else, to judge by")
    base.add_argument("--cache", type=Path, default=Path("var/features"), help="kept features")
    # Understood in front of the command, as for the others, and behind it.
    base.add_argument("--models", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    base.set_defaults(command=_base)

    predict = commands.add_parser("predict", help="ask a version what photos show: JSON lines")
    predict.add_argument("version")
    predict.add_argument("photos", nargs="+", type=Path)
    predict.set_defaults(command=_predict)
    return parser


def _train(options: argparse.Namespace) -> int:
    try:
        from ml.training import PROBLEMS, about_from, config_from, train_version
    except ImportError as error:
        print(f"error: {error}. Training needs: pip install -r requirements.txt", file=sys.stderr)
        return 1
    asked = vars(options)
    try:
        train_version(
            options.data,
            options.models,
            options.cache,
            config_from(**asked),
            about=about_from(**asked),
            dry_run=options.dry_run,
            say=print,
        )
    except PROBLEMS as error:
        raise DataError(str(error)) from error
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    engine = OnnxEngine(options.models / options.version)
    evaluating.evaluate_version(engine, evaluating.plan_from(vars(options)), print)
    return 0


def _base(options: argparse.Namespace) -> int:
    examples = read_source(options.data).examples
    place = (options.models, options.version)
    try:
        make_base(*place, examples, options.cache, neither=options.neither, say=print)
    except BaseError as error:
        raise DataError(str(error)) from error
    return 0


def _predict(options: argparse.Namespace) -> int:
    engine = OnnxEngine(options.models / options.version)
    refusals = 0
    for path in options.photos:
        row = {"path": written(str(path)), **answer_file(engine, str(path), Limits())}
        print(json_line(row), end="")
        refusals += "code" in row
    return int(refusals > 0)


if __name__ == "__main__":
    sys.exit(main())
