"""A prepared data set and the folder it is written to: manifest, lists, contact sheets, report."""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml.contact_sheets import MAX_SHEETS, PER_SHEET, Cell, contact_sheets
from ml.examples import Example, counts, data_digest
from ml.folders import holds_something_else, lies_with, write_whole
from ml.sources import MANIFEST, MANIFEST_COLUMNS, REPORT, DataError

# Kinds of findings in the order of a report: what they are, and what became of them.
KINDS = {
    "ignored": "no photos by their names; left out",
    "broken": "empty, or cannot be read or decoded; left out",
    "placeholders": "one flat tone, or a few pixels; left out",
    "duplicates": "there already under this label, byte for byte; left out",
    "conflicting": "the same picture under two labels; all of them left out",
    "near_duplicates": "the same picture in other bytes; kept, all of a group on one side",
    "one_tone": "one tone over half of it: perhaps a logo or a drawing; kept, please look",
    "suspicious": "another label is ten times as probable; kept, please look",
}


@dataclass(frozen=True)
class Finding:
    """A photo to list, and why."""

    path: Path
    label: str
    why: str


@dataclass
class Prepared:
    """A data set that was looked through.

    Attributes:
        folder: Where its raw photos lie.
        examples: Photos to train on, by path.
        findings: By kind, all of `KINDS`; `suspicious` only where labels were doubted.
        thresholds: What the findings depend on.
    """

    folder: Path
    examples: list[Example]
    findings: dict[str, list[Finding]]
    thresholds: dict[str, float] = field(default_factory=dict)


def check_places(folder: Path, to: Path) -> None:
    """Refuse a target that holds something else, or that would mix with the raw photos.

    Raises:
        DataError: if so.
    """
    if lies_with(folder, to):
        raise DataError(
            f"{to} and {folder} lie one in the other; what is written needs a folder of its own."
        )
    if holds_something_else(to, lambda names: MANIFEST in names):
        raise DataError(
            f"{to} holds something else than prepared data, which would be lost. "
            "Name another folder with --to, or empty it."
        )


def write(prepared: Prepared, to: Path) -> None:
    """Write the folder: manifest, lists, contact sheets and report.

    Raises:
        OSError: for instance if the disk is full; what was there before is then still there.
    """
    write_whole(to, _files(prepared, to))


def _files(prepared: Prepared, to: Path) -> Iterator[tuple[str, bytes]]:
    rows = [
        (_inside(prepared.folder, e.path), e.label, e.sha256, e.split, e.group)
        for e in prepared.examples
    ]
    yield MANIFEST, _csv(MANIFEST_COLUMNS, rows)
    for kind, findings in prepared.findings.items():
        listed = [(_inside(prepared.folder, f.path), f.label, f.why) for f in findings]
        yield f"{kind}.csv", _csv(("path", "label", "why"), listed)
        if kind != "ignored":  # there is nothing to see in these
            yield from _sheets(kind, findings)
    report = _report(prepared, to)
    yield REPORT, (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode()
    yield "report.md", _in_words(report).encode()


def _sheets(kind: str, findings: Sequence[Finding]) -> Iterator[tuple[str, bytes]]:
    cells = [Cell(f.path, (f"{f.label}: {f.path.name}", f.why)) for f in findings]
    for number, sheet in enumerate(contact_sheets(cells), 1):
        yield f"{kind}-{number}.png", sheet


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _inside(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _report(prepared: Prepared, to: Path) -> dict[str, Any]:
    return {
        "source": _way(prepared.folder, to),
        "digest": data_digest(prepared.examples),
        "counts": counts(prepared.examples),
        "found": {kind: len(findings) for kind, findings in prepared.findings.items()},
        "thresholds": prepared.thresholds,
    }


def _way(folder: Path, to: Path) -> str:
    """From the prepared folder to the raw one, so that both can move together."""
    try:
        return Path(os.path.relpath(folder.resolve(), to.resolve())).as_posix()
    except ValueError:  # on another drive of Windows
        return folder.resolve().as_posix()


def _in_words(report: dict[str, Any]) -> str:
    splits = [(split, *row.values()) for split, row in report["counts"].items()]
    found = [(kind, number, KINDS[kind]) for kind, number in report["found"].items()]
    doubted = "" if "suspicious" in report["found"] else "Labels were not doubted.\n"
    return f"""# Prepared data

The photos lie in `{report["source"]}`, seen from here. None was changed.
Digest of photos, labels and sides: `{report["digest"]}`.

{_table(("split", *report["counts"]["train"]), splits)}

{_table(("found", "photos", "what they are"), found)}

{doubted}Each kind has a list, a CSV of its name, and sheets to look at: {PER_SHEET} photos a sheet,
{MAX_SHEETS} sheets at most. To train without a photo, delete its line from `{MANIFEST}`.
"""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
