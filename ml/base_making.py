"""Make the base of a version, from the photos it was trained on and its own networks."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ml.answering import Mind, mind_of
from ml.base import Base, Rehearsal, Seen, describe_backbones
from ml.bases import BASES, load_base, save_base
from ml.examples import Example, Split, in_split
from ml.features import Backbone, FeatureCache, features_of
from ml.heads import Head
from ml.inference import softmax
from ml.lessons import perceptual_hashes
from ml.photos import PREPROCESSING
from ml.provenance import code_revision
from ml.registry import NETWORK, SECOND, Card, VersionError, load_version
from ml.rehearsal import draw_coreset
from ml.slices import Traits, look_at
from ml.strangers import kind_of
from ml.views import PLAIN

Say = Callable[[str], None]

# Rows of the train split that are kept for each head; see docs/learning for what more would win.
NUM_FIRST, NUM_SECOND = 1200, 900
# Photos for judging are looked at again by the second network up to this many times the share that
# the version itself looks at again: other heads find other photos hard.
_ROOM = 2.0
# What a version is refitted by when its card does not say.
_DEFAULTS = {"l2": 0.03, "look_again": 0.085, "max_error": 0.0025, "refused": 0.008}


@dataclass(frozen=True)
class _Maker:
    """What is at hand."""

    card: Card
    first: Backbone
    second: Backbone | None
    cache: FeatureCache

    def see(self, examples: Sequence[Example], head: Head) -> tuple[Seen, np.ndarray]:
        """Photos, the least sure of them twice, and their sizes."""
        found = features_of(examples, self.first, [PLAIN], self.cache)
        plain, looks = found.vectors[:, 0], None
        if self.second is not None:
            confidence = softmax(head.logits(plain)).max(axis=1)
            number = 1 + round(_ROOM * _setting(self.card, "look_again") * len(plain))
            chosen = np.sort(np.argsort(confidence, kind="stable")[:number])
            looks = self._look(found.examples, chosen)
        labels = self.card.labels
        targets = [labels.index(e.label) if e.label in labels else -1 for e in found.examples]
        photos = tuple(e.sha256 for e in found.examples)
        return Seen(photos, np.array(targets, int), plain, looks), found.sizes

    @property
    def looks(self) -> tuple[str, ...]:
        """The views that the second network is shown."""
        return self.card.second.looks if self.card.second else ()

    def _look(self, examples: Sequence[Example], chosen: np.ndarray) -> np.ndarray:
        """The second network's features of chosen photos; not a number of the others."""
        if self.second is None or not len(chosen):
            return np.full((len(examples), len(self.looks), 1), np.nan, np.float32)
        hard = [examples[i] for i in chosen]
        found = features_of(hard, self.second, self.looks, self.cache).vectors
        looks = np.full((len(examples), *found.shape[1:]), np.nan, np.float32)
        looks[chosen] = found
        return looks

    def rehearse(
        self, examples: Sequence[Example], backbone: Backbone, head: Head, size: int
    ) -> Rehearsal:
        """A coreset of the train split."""
        views = [PLAIN] if backbone is self.first else self.looks
        found = features_of(examples, backbone, views, self.cache)
        targets = [self.card.labels.index(example.label) for example in found.examples]
        rows = found.vectors.reshape(-1, found.vectors.shape[-1])
        return draw_coreset(head, rows, np.repeat(targets, len(views)), size)


def make_base(
    root: Path,
    version: str,
    examples: Sequence[Example],
    cache: Path,
    *,
    neither: Path | None = None,
    say: Say = lambda _: None,
) -> Base:
    """Make a version's base and save it beside the versions.

    Args:
        root: Where versions live.
        version: One that was trained on photos, not refitted.
        examples: The photos it was trained on, of all splits.
        cache: Where features are kept between runs.
        neither: Photos of something else, as for `ml.strangers`; None: there are none.
        say: Told what was made.

    Raises:
        VersionError: if the version is changed, or cannot have a base.
        ValueError: if a split is empty, or a label is not one of the version's.
        OSError: if the base cannot be written.
    """
    folder = root / version
    card = load_version(folder)
    _check(card, examples)
    mind, maker = mind_of(folder, card), _maker(folder, card, cache)
    base = _base_of(card, mind, maker, examples, neither)
    path = save_base(root, base)
    say(f"Saved its base {path.name}, {path.stat().st_size / 1e6:.1f} MB, in {root / BASES}.")
    return load_base(path)


def _base_of(
    card: Card, mind: Mind, maker: _Maker, examples: Sequence[Example], neither: Path | None
) -> Base:
    train, judged = in_split(examples, "train"), in_split(examples, "calibration")
    first = maker.rehearse(train, maker.first, mind.first, NUM_FIRST)
    second = None
    if maker.second is not None and mind.second is not None:
        second = maker.rehearse(train, maker.second, mind.second, NUM_SECOND)
    calibration, _ = maker.see(judged, mind.first)
    holdout, traits = _holdout(maker, in_split(examples, "holdout"), mind)
    judged += in_split(examples, "holdout")
    strangers, kinds = _strangers(maker, neither, mind.first, calibration)
    return Base(
        "",
        _about(card, mind, len(train)),
        first,
        second,
        calibration,
        holdout,
        traits,
        strangers,
        kinds,
        perceptual_hashes(judged, maker.cache),
        mind.novelty.familiar if mind.novelty else None,
    )


def _holdout(
    maker: _Maker, examples: Sequence[Example], mind: Mind
) -> tuple[Seen, tuple[Traits, ...]]:
    """Photos to be judged on, and what each is like."""
    holdout, sizes = maker.see(examples, mind.first)
    by_photo = {example.sha256: example for example in examples}
    return holdout, tuple(look_at([by_photo[photo] for photo in holdout.photos], sizes))


def _check(card: Card, examples: Sequence[Example]) -> None:
    if "base" in card.training:
        raise VersionError(
            f"Version {card.version} was refitted: its base is {card.training['base']['sha256']}."
        )
    if card.preprocessing != PREPROCESSING or not describe_backbones(card)["first"]:
        raise VersionError(f"Version {card.version} was trained by other code; train a new one.")
    unknown = sorted({example.label for example in examples} - set(card.labels))
    if unknown:
        raise ValueError(
            f"The version knows {', '.join(card.labels)}. Received: {', '.join(unknown)}"
        )
    splits: tuple[Split, ...] = ("train", "calibration", "holdout")
    for split in splits:
        if not in_split(examples, split):
            raise ValueError(f"No photo falls into the {split} split.")


def _maker(folder: Path, card: Card, cache: Path) -> _Maker:
    backbones = describe_backbones(card)
    first = Backbone(str(backbones["first"]), card.side, lambda: (folder / NETWORK).read_bytes())
    second = None
    if card.second is not None:
        second = Backbone(
            str(backbones["second"]), card.second.side, lambda: (folder / SECOND).read_bytes()
        )
    return _Maker(card, first, second, FeatureCache(cache))


def _strangers(
    maker: _Maker, neither: Path | None, head: Head, like: Seen
) -> tuple[Seen, tuple[str, ...]]:
    if neither is None:
        return like.only(np.zeros(len(like), bool)), ()
    found = [
        Example(path, "", _sha256(path)) for path in sorted(neither.rglob("*")) if path.is_file()
    ]
    once = list({example.sha256: example for example in found}.values())
    seen, _ = maker.see(once, head)
    kinds = {example.sha256: kind_of(example.path, neither) for example in once}
    return seen, tuple(kinds[photo] for photo in seen.photos)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _setting(card: Card, name: str) -> float:
    return float(card.training.get("config", {}).get(name, _DEFAULTS[name]))


def _about(card: Card, mind: Mind, num_train: int) -> dict[str, object]:
    measure = mind.novelty
    return {
        "novelty": measure and {"limit": measure.limit, "sha256": measure.sha256},
        "version": card.version,
        "labels": list(card.labels),
        "preprocessing": card.preprocessing,
        "backbones": describe_backbones(card),
        "head_sha256": mind.first.sha256,
        "data": card.data,
        "num_train": num_train,
        "settings": {name: _setting(card, name) for name in _DEFAULTS},
        "code_revision": code_revision(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
