"""The folder of an evaluation: a report in words, scores as JSON, figures, the worst errors."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ml.contact_sheets import Cell, contact_sheet
from ml.curves import reliability
from ml.evaluation import NUM_ERRORS, Evaluation, rounded
from ml.examples import data_digest
from ml.folders import write_whole
from ml.registry import Card
from ml.report import FIGURES, figure_lines
from ml.robustness import Tried
from ml.scores import Scores
from ml.strangers import Share, Strangers

REPORT, SCORES = "report.md", "scores.json"
ERRORS, ANSWERED = "errors.png", "answered_all_the_same.png"

# All that is ever written here: a folder with other names in it is not ours to replace.
NAMES = frozenset({REPORT, SCORES, ERRORS, ANSWERED, *FIGURES})


@dataclass(frozen=True)
class Found:
    """What an evaluation found.

    Attributes:
        card: Of the version.
        command: That finds the same.
        photos: Which ones, in words.
        evaluation: On labelled photos.
        strangers: On photos of something else, if it was asked about some.
        tried: On changed photos, if it was.
    """

    card: Card
    command: str
    photos: str
    evaluation: Evaluation
    strangers: Strangers | None = None
    tried: Sequence[Tried] = ()


def write_report(found: Found, figures: dict[str, bytes], to: Path) -> None:
    """Write a folder, whole or not at all; it shows photos, so it is the user's own.

    Args:
        found: What to tell.
        figures: File name to SVG.
        to: The folder; an earlier report in it is replaced.

    Raises:
        OSError: for instance if the disk is full; what was there before is then still there.
    """
    write_whole(to, _files(found, figures))


def _files(found: Found, figures: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    sheets = dict(_sheets(found))
    yield SCORES, (json.dumps(_scores(found), indent=2, ensure_ascii=False) + "\n").encode()
    yield REPORT, _in_words(found, [*figures, *sheets]).encode()
    yield from figures.items()
    yield from sheets.items()


def _sheets(found: Found) -> Iterator[tuple[str, bytes]]:
    errors = [
        Cell(
            e.path,
            (
                f"{e.label}, taken for {a.label} {a.confidence:.1%}",
                f"{e.path.name}, told {a.answer}",
            ),
        )
        for e, a in found.evaluation.asked.errors()[:NUM_ERRORS]
    ]
    if errors:
        yield ERRORS, contact_sheet(errors)
    if found.strangers and (answered := found.strangers.answered()[:NUM_ERRORS]):
        cells = [Cell(path, (f"{a.answer} {a.confidence:.1%}", path.name)) for path, a in answered]
        yield ANSWERED, contact_sheet(cells)


def _scores(found: Found) -> dict[str, Any]:
    evaluation, strangers = found.evaluation, found.strangers
    asked = evaluation.asked
    return {
        "version": found.card.version,
        "command": found.command,
        "photos": found.photos,
        "digest": data_digest(asked.examples),
        **evaluation.for_card(),
        "reliability": [rounded(asdict(b)) for b in reliability(asked.confidences, asked.is_right)],
        "neither": {name: asdict(share) for name, share in _shares(strangers)},
        "robustness": [
            {**rounded(asdict(t)), "told": rounded(asdict(t.told))} for t in found.tried
        ],
        "errors": [
            {"path": str(example.path), "label": example.label, **rounded(asdict(answer))}
            for example, answer in asked.errors()
        ],
        "broken": [{"path": str(e.path), "why": why} for e, why in evaluation.broken],
    }


def _shares(strangers: Strangers | None) -> list[tuple[str, Share]]:
    if strangers is None:
        return []
    return [("all", strangers.share()), *strangers.by_kind().items()]


def _in_words(found: Found, files: Sequence[str]) -> str:
    sections = (
        _head(found),
        _accuracy(found),
        _told(found, files),
        _neither(found),
        _robustness(found),
        "## Figures\n\n" + "\n".join(figure_lines(files)),
        _errors(found),
    )
    return "\n".join(section for section in sections if section)


def _head(found: Found) -> str:
    evaluation, card = found.evaluation, found.card
    per_label = ", ".join(
        f"{scores.count} {name.removeprefix('label: ')}"
        for name, scores in evaluation.slices.items()
        if name.startswith("label: ")
    )
    return f"""# Version {card.version} on {evaluation.all.count} photos

    {found.command}

- Photos: {found.photos}; {per_label}.
- Digest of photos and labels: `{data_digest(evaluation.asked.examples)}`.
- The version: {card.architecture}, SHA-256 of its network `{card.weights_sha256}`.
- Every number below comes from this command, and is in `{SCORES}`. The same photos and the same
  version give the same numbers.
"""


def _accuracy(found: Found) -> str:
    evaluation = found.evaluation
    rows = [_score_row(name, each) for name, each in _all_slices(evaluation)]
    area = "none: one label only" if evaluation.roc_area is None else f"{evaluation.roc_area:.5f}"
    head = ("photos", "count", "accuracy", "95 % interval", "log loss", "Brier", "ECE")
    return f"""## Scores

{_table(head, rows)}

Area under the ROC curve: {area}. Area under the risk–coverage curve: {evaluation.risk_area:.6f}.
Intervals are Wilson's; ECE has 15 bins; the Brier score is the sum over all labels. Short side in
pixels; brightness is the mean grey, dark below 85 and bright from 170 of 255; focus is the variance
of the Laplacian at 224 pixels, blurred below 100 and sharp from 500.
"""


def _all_slices(evaluation: Evaluation) -> Iterable[tuple[str, Scores]]:
    return {"all": evaluation.all, **evaluation.slices}.items()


def _score_row(name: str, scores: Scores) -> tuple[str, ...]:
    low, high = scores.accuracy_interval
    return (
        name,
        f"{scores.count}",
        f"{scores.accuracy:.2%}",
        f"{low:.2%} to {high:.2%}",
        f"{scores.log_loss:.4f}",
        f"{scores.brier:.4f}",
        f"{scores.ece:.4f}",
    )


def _told(found: Found, files: Sequence[str]) -> str:
    told, card = found.evaluation.told, found.card
    right = "" if told.right is None else f", {told.right:.2%} of these rightly"
    sure = "never" if card.unsure_below is None else f"below {card.unsure_below:.4f}"
    new = "never" if card.neither_above is None else f"above {card.neither_above}"
    return f"""## What people are told

{told.answered:.2%} of the photos are answered{right}; {told.unsure:.2%} are told "unsure"
(confidence: {sure}) and {told.neither:.2%} "neither" (novelty: {new}). The limits are the
version's own, chosen on other photos.
"""


def _neither(found: Found) -> str:
    shares = _shares(found.strangers)
    if not shares:
        return ""
    rows = []
    for kind, share in shares:
        low, high = share.interval
        answered = f"{share.answered / share.count:.2%}"
        counts = (f"{share.unsure}", f"{share.neither}")
        rows.append(
            (kind or "of no kind", f"{share.count}", answered, f"{low:.2%} to {high:.2%}", *counts)
        )
    head = ("photos of", "count", "answered all the same", "95 % interval", "unsure", "neither")
    return f"""## Photos of something else

{_table(head, rows)}
"""


def _robustness(found: Found) -> str:
    if not found.tried:
        return ""
    rows = [_tried_row(each) for each in found.tried]
    head = ("photos", "accuracy", "95 % interval", "answered", "right of these", "unsure",
            "neither", "told something else")  # fmt: skip
    return f"""## Changed photos

The same {found.tried[0].count} photos, chosen by their content, changed in each way.

{_table(head, rows)}
"""


def _tried_row(tried: Tried) -> tuple[str, ...]:
    told = tried.told
    low, high = tried.accuracy_interval
    return (
        tried.change,
        f"{tried.accuracy:.2%}",
        f"{low:.2%} to {high:.2%}",
        f"{told.answered:.2%}",
        "" if told.right is None else f"{told.right:.2%}",
        f"{told.unsure:.2%}",
        f"{told.neither:.2%}",
        f"{tried.moved:.2%}",
    )


def _errors(found: Found) -> str:
    errors = found.evaluation.asked.errors()
    lines = [
        f"- `{example.path.name}` is a {example.label}: {answer.label} by {answer.confidence:.1%}, "
        f'told "{answer.answer}"'
        for example, answer in errors[:NUM_ERRORS]
    ]
    broken = [f"- `{e.path.name}` cannot be decoded: {why}" for e, why in found.evaluation.broken]
    listed = "\n".join([*lines, *broken]) or "None."
    return f"""## Errors

{len(errors)} of {found.evaluation.all.count} photos have another label for the most probable one;
the surest come first. Some may be the labels' own errors: look at them. The pictures show photos,
so pass them on only if the photos' terms allow it.

{listed}
"""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
