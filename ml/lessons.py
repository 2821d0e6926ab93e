"""Photos from feedback as a version's networks see them: what is learnt, and what is left out."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ml.base import Base, Seen
from ml.duplicates import MAX_DISTANCE, groups_of, near_pairs, perceptual_hash, thumbnail
from ml.examples import Example, Split, labels_of
from ml.features import Backbone, FeatureCache, each_photo, features_of
from ml.inference import NEITHER
from ml.marked import gettext_noop
from ml.photos import PhotoError
from ml.views import PLAIN

Say = Callable[[str], None]
Step = Callable[[float, str], None]

# Perceptual hashes lie in the feature cache, a number a bit: what erases a photo erases its hash.
_HASH = "perceptual-hash-1"


@dataclass(frozen=True)
class Lessons:
    """Photos from feedback.

    Attributes:
        examples: `n` of them, by SHA-256, near duplicates in one group.
        seen: The same ones as the networks see them.
    """

    examples: tuple[Example, ...]
    seen: Seen

    def of(self, split: Split) -> Seen:
        """Those of one split."""
        return self.seen.only(np.array([e.split == split for e in self.examples], bool))


def usable(examples: Sequence[Example], base: Base, say: Say) -> list[Example]:
    """The photos that can be learnt from, each once, by SHA-256.

    Left out, and said so: labels that the version has not, photos under two labels, files that are
    gone, and photos that the base judges by.
    """
    by_photo = defaultdict(list)
    for example in examples:
        by_photo[example.sha256].append(example)
    kept: list[Example] = []
    left_out: dict[str, int] = defaultdict(int)
    for photo in sorted(by_photo):
        why = _why_not(by_photo[photo], base)
        if why:
            left_out[why] += 1
        else:
            kept.append(by_photo[photo][0])
    for why, number in sorted(left_out.items()):
        say(f"Left out {number} photo{'s' if number > 1 else ''}: {why}.")
    return kept


def see(
    examples: Sequence[Example],
    base: Base,
    backbones: tuple[Backbone, Backbone | None],
    looks: Sequence[str],
    cache: FeatureCache,
    *,
    say: Say,
    step: Step,
) -> Lessons:
    """Look at photos with both networks.

    Those that cannot be decoded are left out and named, and so are near duplicates of photos that
    versions are judged by.

    Args:
        examples: From `usable`.
        base: Says which labels there are, and which photos versions are judged by.
        backbones: Of the first network and of the second one, if there is one.
        looks: The views that the second one is shown.
        cache: Where features are kept between runs.
        say: Told what was left out.
        step: Told the progress of this part.

    Raises:
        ValueError: if no photo can be decoded.
    """
    first, second = backbones
    plain = features_of(
        examples,
        first,
        (PLAIN,),
        cache,
        lambda done: step(done * 0.4, gettext_noop("Looking at photos")),
    )
    for example, why in plain.broken:
        say(f"Left out photo {example.sha256[:12]}: {why}")
    hashes = perceptual_hashes(plain.examples, cache)
    new = _not_judged_by(hashes, base, say)
    kept = tuple(e for e, is_new in zip(plain.examples, new, strict=True) if is_new)
    again = _look_again(kept, second, looks, cache, step) if second else None
    step(1.0, gettext_noop("Looked at photos"))
    targets = [base.labels.index(e.label) if e.label in base.labels else -1 for e in kept]
    photos = tuple(example.sha256 for example in kept)
    seen = Seen(photos, np.array(targets, int), plain.vectors[new, 0], again)
    return Lessons(_grouped(kept, hashes[new]), seen)


def _look_again(
    examples: Sequence[Example],
    second: Backbone,
    looks: Sequence[str],
    cache: FeatureCache,
    step: Step,
) -> np.ndarray:
    """What the second network sees in photos, shape `(n, looks, d)`."""
    return features_of(
        examples,
        second,
        looks,
        cache,
        lambda done: step(0.4 + done * 0.5, gettext_noop("Looking again")),
    ).vectors


def _not_judged_by(hashes: np.ndarray, base: Base, say: Say) -> np.ndarray:
    """Which photos show no picture that versions are judged by, `bool`, shape `(n,)`."""
    new = ~_near(hashes, base.hashes)
    if not new.all():
        say(f"Left out {int((~new).sum())}: near duplicates of photos that versions are judged by.")
    if not new.any():
        raise ValueError(
            gettext_noop("No photo is left that versions are not judged by. Approve some more.")
        )
    return np.asarray(new)


def _why_not(same: Sequence[Example], base: Base) -> str:
    """Why a photo cannot be learnt from; empty if it can."""
    example = same[0]
    if len(labels_of(same)) > 1:
        return "people gave it two labels"
    if example.label not in (*base.labels, NEITHER):
        return f"the version does not know the label {example.label!r}"
    if base.judges(example.sha256):
        return "it is one of those that versions are judged by"
    return "" if example.path.is_file() else "its file is gone"


def _near(hashes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which photos are near duplicates of some others, `bool`, shape `(n,)`."""
    if not len(others):
        return np.zeros(len(hashes), bool)
    distances = np.bitwise_count(hashes[:, None] ^ others[None])
    return np.asarray(distances.min(axis=1) <= MAX_DISTANCE)


def _grouped(examples: Sequence[Example], hashes: np.ndarray) -> tuple[Example, ...]:
    """The same photos, near duplicates in one group, so that they share a side."""
    names = [example.sha256 for example in examples]
    groups = groups_of(names, near_pairs(hashes))
    return tuple(replace(e, group=groups.get(e.sha256, "")) for e in examples)


def perceptual_hashes(examples: Sequence[Example], cache: FeatureCache) -> np.ndarray:
    """Perceptual hash of each photo, `uint64`, shape `(n,)`; kept in the cache.

    A photo that cannot be decoded is like no other.
    """
    known = cache.known(_HASH)
    todo = [example for example in examples if example.sha256 not in known]
    rows = []
    seen = each_photo(todo, lambda photo, _: thumbnail(photo.pixels), "Comparing photos")
    for example, found in seen:
        if not isinstance(found, PhotoError):
            bits = perceptual_hash(found[np.newaxis]).astype(">u8").view(np.uint8)
            rows.append((_HASH, example.sha256, 0, 0, np.unpackbits(bits).astype(np.float32)))
    cache.put(rows)
    found_bits = cache.get([example.sha256 for example in examples], _HASH)
    own = np.random.default_rng(0).integers(0, 2, (len(examples), 64))
    rows_of_bits = [
        found_bits[e.sha256][0] if e.sha256 in found_bits else own[i]
        for i, e in enumerate(examples)
    ]
    packed = np.packbits(np.array(rows_of_bits, bool), axis=1)
    return packed.view(">u8").astype(np.uint64)[:, 0]
