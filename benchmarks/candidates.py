"""Train every candidate on the same photos, score and time them side by side, write the table.

    python -m benchmarks.candidates [--data DIR] [--neither DIR] [--only NAME …] [--to FILE]

Features that an earlier run kept are not computed again; the first run takes an hour. Times are
those of one thread, decoding left out, in turns, so that a machine that slows down slows all.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ml.evaluation import Evaluation, evaluate
from ml.examples import Example, in_split
from ml.inference import OnnxEngine
from ml.photos import decode_photo
from ml.sources import read_source
from ml.strangers import show_strangers
from ml.training import SECOND_ARCHITECTURE, TrainConfig, train_version
from ml.views import CLOSER, WHOLE

# As it was first shipped: at its own 260 pixels, the head given means alone, two looks.
_FIRST_SECOND = TrainConfig(second="efficientnet-lite2", looks=(CLOSER, WHOLE), look_again=0.085)
CANDIDATES = {
    "Lite0": TrainConfig(),
    "Lite0 in 8 bits": TrainConfig(int8="first"),
    "Lite1": TrainConfig("efficientnet-lite1"),
    "Lite2": TrainConfig("efficientnet-lite2"),
    "Lite0, then Lite2": _FIRST_SECOND,
    "Lite0, then Lite2 in 8 bits": replace(_FIRST_SECOND, int8="second"),
    "both in 8 bits": replace(_FIRST_SECOND, int8="both"),
    "both in 8 bits, Lite2 at 384 pixels with peaks": TrainConfig(
        second=SECOND_ARCHITECTURE, int8="both"
    ),
}
# Photos to time, and how often each candidate has its turn.
_NUM_TIMED, _TURNS = 400, 3


@dataclass(frozen=True)
class Row:
    """What was measured of a candidate.

    Attributes:
        name: As in `CANDIDATES`.
        unseen: Its scores on calibration and holdout photos together.
        holdout: On the holdout alone.
        strange: Share of photos of something else that it answered; None if none were shown.
        megabytes: Of the networks that answer.
    """

    name: str
    unseen: Evaluation
    holdout: Evaluation
    strange: float | None
    megabytes: float


def main() -> None:
    """Measure the candidates and write the table."""
    arguments = _arguments()
    names = arguments.only or list(CANDIDATES)
    examples = read_source(arguments.data).examples
    with tempfile.TemporaryDirectory() as root:
        folders = {
            name: _trained(CANDIDATES[name], arguments, Path(root, str(number)))
            for number, name in enumerate(names)
        }
        rows = [_measure(name, folders[name], examples, arguments.neither) for name in names]
        times = _times({name: OnnxEngine(folder) for name, folder in folders.items()}, examples)
    table = _table(rows, times)
    print(table)
    if arguments.to:
        arguments.to.write_text(table + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    data = Path(os.environ.get("CATSDOGS_DATA", "data/raw"))
    parser.add_argument("--data", type=Path, default=data, help="default: %(default)s")
    parser.add_argument("--neither", type=Path, help="photos of something else")
    parser.add_argument("--cache", type=Path, default=Path("var/features"), help="kept features")
    parser.add_argument("--only", nargs="+", choices=list(CANDIDATES), metavar="NAME")
    parser.add_argument("--to", type=Path, help="file for the table")
    return parser.parse_args()


def _trained(config: TrainConfig, arguments: argparse.Namespace, root: Path) -> Path:
    return root / train_version(arguments.data, root, arguments.cache, config).version


def _measure(name: str, folder: Path, examples: Sequence[Example], neither: Path | None) -> Row:
    engine, holdout = OnnxEngine(folder), in_split(examples, "holdout")
    networks = [folder / file for file in engine.card.networks]
    return Row(
        name=name,
        unseen=evaluate(engine, in_split(examples, "calibration") + holdout),
        holdout=evaluate(engine, holdout),
        strange=_share_answered(engine, neither) if neither else None,
        megabytes=sum(path.stat().st_size for path in networks) / 1e6,
    )


def _share_answered(engine: OnnxEngine, folder: Path) -> float:
    strangers = show_strangers(engine, folder)
    return len(strangers.answered()) / len(strangers.answers)


def _times(engines: dict[str, OnnxEngine], examples: Sequence[Example]) -> dict[str, float]:
    """Mean milliseconds of one core for a photo, by candidate."""
    holdout = sorted(in_split(examples, "holdout"), key=lambda example: example.sha256)
    photos = [decode_photo(e.path.read_bytes()).pixels for e in holdout[:_NUM_TIMED]]
    taken: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(_TURNS):
        for name, engine in engines.items():
            started = time.process_time()
            for pixels in photos:
                engine.predict(pixels)
            taken[name].append((time.process_time() - started) / len(photos) * 1000)
    return {name: float(np.median(each)) for name, each in taken.items()}


def _table(rows: Sequence[Row], times: dict[str, float]) -> str:
    plain = times.get("Lite0")
    lines = [_line(row, times[row.name], plain) for row in rows]
    head = (
        "| candidate | right, unseen | 95 % interval | log loss | ECE | holdout | answered "
        "| of these right | others answered | ms | of Lite0 | MB |"
    )
    return "\n".join([head, "|---" * 12 + "|", *lines])


def _line(row: Row, milliseconds: float, plain: float | None) -> str:
    scores, told = row.unseen.all, row.unseen.told
    low, high = scores.accuracy_interval
    cells = [
        row.name,
        f"{scores.accuracy:.2%}",
        f"{low:.2%} to {high:.2%}",
        f"{scores.log_loss:.4f}",
        f"{scores.ece:.2%}",
        f"{row.holdout.all.accuracy:.2%}",
        f"{told.answered:.2%}",
        "–" if told.right is None else f"{told.right:.2%}",
        "–" if row.strange is None else f"{row.strange:.2%}",
        f"{milliseconds:.1f}",
        "–" if plain is None else f"{milliseconds / plain:.2f} ×",
        f"{row.megabytes:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
