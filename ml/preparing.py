"""Look through raw photos: what to train on, what to leave out, what a person should look at.

Raw photos are only ever read. What is written lies in a folder of its own; see `ml.prepared`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ml.duplicates import MAX_DISTANCE, groups_of, near_pairs, perceptual_hash, thumbnail
from ml.examples import Example, data_digest, labels_of
from ml.features import Backbone, FeatureCache, each_photo, features_of
from ml.heads import TrainingError
from ml.photos import Photo, PhotoError
from ml.prepared import KINDS, Finding, Prepared, check_places, write
from ml.pytorch_stream import WeightsError
from ml.sources import DataError, Source, check_enough, read_folder
from ml.suspicion import ODDS, cross_validate, suspicious
from ml.views import PLAIN

# What `prepare` may raise that its caller can tell a person: each says what to do.
PROBLEMS = (DataError, WeightsError, TrainingError, OSError, ValueError)

# Below either a photo shows nothing. Of 22,500 cats and dogs the flattest has a deviation of 13
# and the smallest a side of 180.
MIN_DEVIATION, MIN_SIDE = 4.0, 16
# One tone in 32 over half of the photo: a logo, a drawing, a cut-out, a small photo in a frame.
# Of 22,497 cats and dogs 61 are such, most of them good photos: so they are shown and kept.
ONE_TONE = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Look:
    small: np.ndarray
    shorter_side: int


def prepare(
    folder: Path,
    to: Path,
    *,
    backbone: Backbone | None,
    cache: Path,
    say: Say = lambda _: None,
) -> Prepared:
    """Look through a folder of raw photos and write down what to train on.

    Args:
        folder: One sub-folder of photos per label. Nothing in it is changed.
        to: Written: `manifest.csv`, `report.json`, `report.md`, and per kind of finding a CSV and
            contact sheets. What an earlier run wrote there is replaced, once all is there.
        backbone: Gives the features that labels are doubted by; None leaves them undoubted.
        cache: Where features are kept between runs.
        say: Told, in a sentence, what has been found and done.

    Raises:
        DataError: if the folder cannot be trained on, or `to` is no place to write to.
        TrainingError: if features are not finite numbers.
        OSError: if what was found cannot be written, for instance onto a full disk.
    """
    check_places(folder, to)
    prepared = look_through(folder, read_folder(folder))
    check_enough(prepared.examples, folder)
    if backbone is not None:
        prepared.findings["suspicious"] = _doubt(prepared.examples, backbone, FeatureCache(cache))
    write(prepared, to)
    for kind, findings in prepared.findings.items():
        if findings:
            say(f"{len(findings)} {kind.replace('_', ' ')}: {KINDS[kind]}.")
    say(f"{len(prepared.examples)} photos to train on, digest {data_digest(prepared.examples)}.")
    return prepared


def look_through(folder: Path, source: Source) -> Prepared:
    """Decode each photo once; set aside what cannot be trained on, join near duplicates.

    Args:
        folder: Where the photos lie.
        source: What reading it gave.
    """

    def listed(paths: Iterable[Path], why: str) -> list[Finding]:
        return [Finding(path, path.relative_to(folder).parts[0], why) for path in paths]

    looks, broken = _look_at_each(source.examples)
    placeholders = [_finding(e, why) for e, look in looks.items() if (why := _shows_nothing(look))]
    smalls = {e: look.small for e, look in looks.items() if not _shows_nothing(look)}
    examples, disputed = _without_disputed(_grouped(smalls))
    findings = {
        "ignored": listed(source.ignored, "by its name"),
        "broken": listed(source.unreadable, "The file is empty or cannot be read.") + broken,
        "placeholders": placeholders,
        "duplicates": listed(source.duplicates, "byte for byte"),
        "conflicting": listed(source.conflicting, "byte for byte")
        + [_finding(example, f"group {example.group[:12]}") for example in disputed],
        "near_duplicates": _near_duplicates(examples),
        "one_tone": _of_one_tone({e.path: small for e, small in smalls.items()}, examples),
    }
    return Prepared(folder, examples, findings, _thresholds())


def _look_at_each(examples: Sequence[Example]) -> tuple[dict[Example, _Look], list[Finding]]:
    """What each photo looks like, and those that cannot be decoded."""

    def look(photo: Photo, _: Example) -> _Look:
        return _Look(thumbnail(photo.pixels), min(photo.width, photo.height))

    looks, broken = {}, []
    for example, seen in each_photo(examples, look, "Looking at photos"):
        if isinstance(seen, PhotoError):
            broken.append(_finding(example, str(seen)))
        else:
            looks[example] = seen
    return looks, broken


def _shows_nothing(look: _Look) -> str:
    """Why a photo is a placeholder; empty if it is none."""
    if look.shorter_side < MIN_SIDE:
        return f"{look.shorter_side} pixels"
    deviation = float(look.small.std())
    return f"deviation {deviation:.1f} of 255" if deviation < MIN_DEVIATION else ""


def _grouped(smalls: Mapping[Example, np.ndarray]) -> list[Example]:
    """The examples by path, each with the group of its near duplicates."""
    if not smalls:
        return []
    hashes = perceptual_hash(np.stack(list(smalls.values())))
    groups = groups_of([example.sha256 for example in smalls], near_pairs(hashes))
    return [replace(example, group=groups.get(example.sha256, "")) for example in sorted(smalls)]


def _without_disputed(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """The examples, and apart from them the groups that lie under two labels."""
    labels: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        labels[example.group].add(example.label)
    disputed = {group for group, found in labels.items() if group and len(found) > 1}
    good = [example for example in examples if example.group not in disputed]
    bad = [example for example in examples if example.group in disputed]
    return good, sorted(bad, key=lambda example: example.group)


def _near_duplicates(examples: Sequence[Example]) -> list[Finding]:
    """Groups side by side, the largest first: what comes many times is seldom a photo."""
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        if example.group:
            groups[example.group].append(example)
    by_size = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        _finding(example, f"group {group[:12]}, {len(members)} photos")
        for group, members in by_size
        for example in members
    ]


def _of_one_tone(smalls: Mapping[Path, np.ndarray], examples: Sequence[Example]) -> list[Finding]:
    """Photos that are largely one tone of grey, the plainest first."""
    shares = [
        (float(np.bincount(small.reshape(-1) >> 3).max() / small.size), example)
        for example in examples
        for small in [smalls[example.path]]
    ]
    found = sorted((item for item in shares if item[0] >= ONE_TONE), key=lambda item: -item[0])
    return [_finding(example, f"one tone over {share:.0%}") for share, example in found]


def _doubt(examples: Sequence[Example], backbone: Backbone, cache: FeatureCache) -> list[Finding]:
    features = features_of(examples, backbone, [PLAIN], cache)
    labels = labels_of(examples)
    targets = np.array([labels.index(example.label) for example in features.examples])
    groups = [example.group or example.sha256 for example in features.examples]
    probabilities = cross_validate(features.vectors[:, 0], targets, groups, len(labels))
    found = []
    for i in suspicious(probabilities, targets):
        best, own = int(probabilities[i].argmax()), probabilities[i, targets[i]]
        why = f"{labels[best]}, {probabilities[i, best] / own:,.0f} to one"
        found.append(_finding(features.examples[i], why))
    return found


def _thresholds() -> dict[str, float]:
    return {
        "near_duplicates_max_distance": MAX_DISTANCE,
        "placeholders_min_deviation": MIN_DEVIATION,
        "placeholders_min_side": MIN_SIDE,
        "one_tone_share": ONE_TONE,
        "suspicious_odds": ODDS,
    }


def _finding(example: Example, why: str) -> Finding:
    return Finding(example.path, example.label, why)
