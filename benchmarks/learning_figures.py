"""Draw the plots of docs/learning from a version's answers, and fill in the pages' numbers.

    python -m benchmarks.learning_figures --version models/VERSION [--data DIR] [--neither DIR]

What the version and the frozen backbone make of the photos is kept under var/learning, so only the
first run takes minutes. The plots hold no photo.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.learning import calibration, leakage, neither, transfer, unsure
from benchmarks.learning.found import Numbers, count, percent
from benchmarks.learning.pages import fill
from benchmarks.learning.photos import Seen, look
from benchmarks.learning.style import style, to_svg
from ml.scores import wilson_interval

PAGES = {
    "leakage": leakage,
    "calibration": calibration,
    "unsure": unsure,
    "neither": neither,
    "transfer": transfer,
}
NUMBERS = "numbers.json"
KEEP = Path("var/learning")


def main() -> None:
    """Look at the photos, run the pages' experiments, write their plots and numbers."""
    arguments = _arguments()
    seen = look(arguments.version, arguments.data, arguments.neither, KEEP, print)
    pages = [arguments.page] if arguments.page else list(PAGES)
    if not len(seen.kinds):
        pages = [page for page in pages if page != "neither"]
    write(seen, arguments.version.name, arguments.to, pages)
    words = read_words(arguments.to / NUMBERS)
    for page in sorted(arguments.to.parent.glob("*.md")):
        page.write_text(fill(page.read_text(encoding="utf-8"), words), encoding="utf-8")
    print(f"Wrote {arguments.to}, and filled in the pages beside it.")


def write(seen: Seen, version: str, to: Path, pages: Sequence[str]) -> None:
    """Run experiments; write their plots, and their numbers beside those that are there.

    Args:
        seen: What there is to measure.
        version: The version's name.
        to: Folder of the plots; made if need be.
        pages: Whose experiments to run.
    """
    to.mkdir(parents=True, exist_ok=True)
    kept = to / NUMBERS
    content = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    content |= {"version": version, "shipped": _as_json(_shipped(seen))}
    for name in pages:
        print(f"Experiments of {name}")
        found = PAGES[name].experiment(seen)
        content[name] = _as_json(found.numbers)
        with style():
            for plot, figure in PAGES[name].figures(found.curves):
                (to / f"{plot}.svg").write_bytes(to_svg(figure))
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    kept.write_text(text, encoding="utf-8")


def _as_json(numbers: Numbers) -> dict[str, dict[str, object]]:
    return {name: {"value": value, "words": words} for name, (value, words) in numbers.items()}


def read_words(numbers: Path) -> dict[str, str]:
    """`page/name` to the words for it, and `version`."""
    content = json.loads(numbers.read_text(encoding="utf-8"))
    words = {"version": content.pop("version")}
    for page, of in content.items():
        words |= {f"{page}/{name}": number["words"] for name, number in of.items()}
    return words


def _shipped(seen: Seen) -> Numbers:
    chosen = seen.splits == "holdout"
    right = seen.probabilities[chosen].argmax(axis=1) == seen.targets[chosen]
    low, high = wilson_interval(int(right.sum()), len(right))
    return {
        "accuracy": percent(right.mean()),
        "accuracy-low": percent(low),
        "accuracy-high": percent(high),
        "calibration-photos": count(int((~chosen).sum())),
        "holdout-photos": count(int(chosen.sum())),
        "holdout-errors": count(int((~right).sum())),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", type=Path, required=True, help="a version's folder")
    parser.add_argument("--data", type=Path, default=Path("data/raw"), help="photos by label")
    parser.add_argument("--neither", type=Path, help="photos of something else")
    parser.add_argument("--page", choices=PAGES, help="only this page's experiment")
    parser.add_argument("--to", type=Path, default=Path("docs/learning/figures"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
