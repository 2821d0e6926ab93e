"""What heads are refitted on without a data set: features of some of its photos, in one file.

A base lies beside the versions, in `bases/`, and is called by its own SHA-256. It holds no photo.
One base serves a version and all that were refitted from it, so that each of these begins where
the first one did, and a photo that is taken back leaves no trace.
"""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ml.heads import Head
from ml.marked import gettext_noop
from ml.registry import Card
from ml.slices import Traits

BASES = "bases"

# What a file of this kind is called inside; another number is another arrangement.
_KIND = "catsdogs-base-1"
_STEPS = 255
# Hexadecimal digits of a photo's SHA-256 that are kept: 128 bits.
_DIGITS = 32


class BaseError(Exception):
    """A base is missing or cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Rehearsal:
    """What a head was fitted to, in small: rows that stand for the whole train split.

    Attributes:
        head: What was fitted.
        mean: Of each feature over the train split, shape `(d,)`.
        deviation: Likewise, above 0.
        vectors: Features, `float32`, shape `(m, d)`.
        targets: Index of each row's label, shape `(m,)`.
        weights: How many rows of the train split each one stands for, shape `(m,)`.
    """

    head: Head
    mean: np.ndarray
    deviation: np.ndarray
    vectors: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Seen:
    """Photos as the networks of a version see them.

    Attributes:
        photos: SHA-256 of each of `n`, or its first `_DIGITS` digits.
        targets: Index of each one's label, -1 for none of them, shape `(n,)`.
        plain: Features of the first network, `float32`, shape `(n, d)`.
        looks: Those of the second one, shape `(n, looks, e)`, not a number where it never looked;
            None where there is no second network.
    """

    photos: tuple[str, ...]
    targets: np.ndarray
    plain: np.ndarray
    looks: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.photos)

    def only(self, chosen: np.ndarray) -> "Seen":
        """Those of a mask or of indices."""
        rows = np.arange(len(self))[chosen]
        return Seen(
            tuple(self.photos[i] for i in rows),
            self.targets[rows],
            self.plain[rows],
            None if self.looks is None else self.looks[rows],
        )

    def and_(self, more: "Seen") -> "Seen":
        """These and others."""
        looks = None
        if self.looks is not None and more.looks is not None:
            looks = np.concatenate([self.looks, more.looks])
        return Seen(
            self.photos + more.photos,
            np.concatenate([self.targets, more.targets]),
            np.concatenate([self.plain, more.plain]),
            looks,
        )


@dataclass(frozen=True)
class Base:
    """All of it.

    Attributes:
        sha256: Of the file; empty before it is saved.
        about: Labels, preprocessing, backbones, data, settings: what JSON can hold.
        first: Of the network that every photo is shown to.
        second: Of the one for a second look; None where there is none.
        calibration: The calibration split.
        holdout: The holdout.
        traits: Of each photo of the holdout.
        strangers: Photos of something else; possibly none.
        kinds: Of what, a word for each.
        hashes: Perceptual hash of each photo of calibration split and holdout, `uint64`.
        familiar: See `NoveltyMeasure`; None where novelty is not measured.
    """

    sha256: str
    about: dict[str, Any]
    first: Rehearsal
    second: Rehearsal | None
    calibration: Seen
    holdout: Seen
    traits: tuple[Traits, ...]
    strangers: Seen
    kinds: tuple[str, ...]
    hashes: np.ndarray
    familiar: np.ndarray | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the outputs."""
        return tuple(self.about["labels"])

    def judges(self, sha256: str) -> bool:
        """Whether a photo is one of those that this base calibrates or judges by."""
        return sha256[:_DIGITS] in {*self.calibration.photos, *self.holdout.photos}


def describe_backbones(card: Card) -> dict[str, str | None]:
    """What decides whether a base's features are those of a version."""
    second = card.training.get("second") or {}
    return {
        "first": card.training.get("backbone_sha256"),
        "second": second.get("backbone_sha256") if card.second else None,
    }


def save_base(root: Path, base: Base) -> Path:
    """Write a base beside the versions under `root`, whole or not at all.

    Returns:
        Its path.

    Raises:
        OSError: if the disk refuses; nothing stays behind.
    """
    content = to_bytes(base)
    folder = root / BASES
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(content).hexdigest()[:16]}.npz"
    handle, aside = tempfile.mkstemp(prefix=".saving-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(aside).chmod(0o644)  # mkstemp's 0o600 would keep the server's user out
        os.replace(aside, path)
    finally:
        Path(aside).unlink(missing_ok=True)
    return path


def find_base(root: Path, card: Card) -> Base:
    """The base of a version: the one it was refitted from, or the one that was made of it.

    Args:
        root: Where versions live.
        card: The version's.

    Raises:
        BaseError: if there is none, or it is not the file that was saved.
    """
    return load_base(_path_for(root, card))


def base_digest(root: Path, card: Card) -> str:
    """The name of a version's base, which says what is in it.

    Raises:
        BaseError: if there is none.
    """
    return _path_for(root, card).stem


def load_base(path: Path) -> Base:
    """Read a base and check it against its name.

    Raises:
        BaseError: if it cannot be read or is not the file that was saved.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BaseError(
            gettext_noop("The base %(name)s cannot be read: %(reason)s.")
            % {"name": path.name, "reason": error.strerror}
        ) from error
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256[:16] != path.stem:
        raise BaseError(
            gettext_noop(
                "The base %(name)s is not the file that was saved. Get it anew, or make another "
                "one: python -m ml base --version VERSION --data DIR"
            )
            % {"name": path.name}
        )
    return from_bytes(content, sha256)


def to_bytes(base: Base) -> bytes:
    """The content of a base's file; the same base gives the same bytes."""
    arrays: dict[str, np.ndarray] = {
        "about": _text({**base.about, "kind": _KIND, "kinds": list(base.kinds)}),
        "traits": _from_traits(base.traits),
        "hashes": base.hashes.astype(np.uint64),
        **_from_rehearsal("first", base.first),
        **_from_seen("calibration", base.calibration),
        **_from_seen("holdout", base.holdout),
        **_from_seen("strangers", base.strangers),
    }
    if base.second is not None:
        arrays |= _from_rehearsal("second", base.second)
    if base.familiar is not None:
        arrays["familiar"] = base.familiar.astype(np.float32)
    target = io.BytesIO()
    np.savez_compressed(target, **arrays)  # type: ignore[arg-type]  # its stub takes a flag there
    return target.getvalue()


def from_bytes(content: bytes, sha256: str) -> Base:
    """Read what `to_bytes` wrote; nothing in it can run.

    Raises:
        BaseError: if it is something else.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = _about(arrays["about"])
        kinds = tuple(about.pop("kinds"))
        return Base(
            sha256=sha256,
            about=about,
            first=_to_rehearsal("first", arrays),
            second=_to_rehearsal("second", arrays) if "second.kernel" in arrays else None,
            calibration=_to_seen("calibration", arrays),
            holdout=_to_seen("holdout", arrays),
            traits=_to_traits(arrays["traits"]),
            strangers=_to_seen("strangers", arrays),
            kinds=kinds,
            hashes=arrays["hashes"],
            familiar=arrays.get("familiar"),
        )
    except (KeyError, OSError, TypeError, ValueError, EOFError, BadZipFile) as error:
        raise BaseError(f"This is no base ({error}).") from error


def _path_for(root: Path, card: Card) -> Path:
    """The base that a version was refitted from, or else one that was made of it, the newest."""
    backbones, found = describe_backbones(card), []
    for path in sorted((root / BASES).glob("*.npz")):
        about = _peek(path)
        fits = about.get("backbones") == backbones and about.get("labels") == list(card.labels)
        origin = card.training.get("base", {}).get("sha256", "")[:16] == path.stem
        made_of_it = about.get("head_sha256") == card.training.get("head_sha256")
        if fits and about.get("preprocessing") == card.preprocessing and (origin or made_of_it):
            found.append((origin, str(about.get("created")), path))
    if not found:
        where = {"version": card.version, "folder": root / BASES}
        raise BaseError(
            gettext_noop("There is no base for version %(version)s in %(folder)s. %(advice)s")
            % {**where, "advice": _how_to_get_one(card)}
        )
    return max(found)[-1]


def _how_to_get_one(card: Card) -> str:
    origin = card.training.get("base")
    if origin:
        return gettext_noop("It was refitted from %(name)s; put that file there.") % {
            "name": f"{origin['sha256'][:16]}.npz"
        }
    return gettext_noop("Make one: python -m ml base --version %(version)s --data DIR") % {
        "version": card.version
    }


def _peek(path: Path) -> Mapping[str, Any]:
    """What a base says of itself, without reading all of it; nothing if it is none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return _about(file["about"])
    except (KeyError, OSError, TypeError, ValueError, EOFError, BadZipFile):
        return {}


def _about(array: np.ndarray) -> dict[str, Any]:
    about = json.loads(array.tobytes())
    if about.pop("kind", None) != _KIND:
        raise ValueError("of another kind")
    return dict(about)


def _text(about: Mapping[str, Any]) -> np.ndarray:
    return np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8)


def _pack(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Features in a byte each, on the scale of their square root: most are small.

    Of the shipped networks' features that moves a vector by 0.6 % of its length.
    """
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    span = max(high - low, 1e-12)
    codes = np.rint(np.sqrt((values - low) / span) * _STEPS).astype(np.uint8)
    return {f"{name}.codes": codes, f"{name}.range": np.array([low, span], np.float32)}


def _unpack(name: str, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    low, span = arrays[f"{name}.range"]
    return np.asarray((arrays[f"{name}.codes"].astype(np.float32) / _STEPS) ** 2 * span + low)


def _from_rehearsal(name: str, part: Rehearsal) -> dict[str, np.ndarray]:
    return {
        f"{name}.kernel": part.head.kernel,
        f"{name}.bias": part.head.bias,
        f"{name}.mean": part.mean.astype(np.float32),
        f"{name}.deviation": part.deviation.astype(np.float32),
        f"{name}.targets": part.targets.astype(np.int16),
        f"{name}.weights": part.weights.astype(np.float32),
        **_pack(f"{name}.vectors", part.vectors),
    }


def _to_rehearsal(name: str, arrays: Mapping[str, np.ndarray]) -> Rehearsal:
    return Rehearsal(
        head=Head(arrays[f"{name}.kernel"], arrays[f"{name}.bias"]),
        mean=arrays[f"{name}.mean"],
        deviation=arrays[f"{name}.deviation"],
        vectors=_unpack(f"{name}.vectors", arrays),
        targets=arrays[f"{name}.targets"].astype(int),
        weights=arrays[f"{name}.weights"].astype(np.float64),
    )


def _from_seen(name: str, seen: Seen) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {
        f"{name}.photos": np.array(
            [list(bytes.fromhex(photo[:_DIGITS])) for photo in seen.photos], np.uint8
        ).reshape(len(seen), _DIGITS // 2),
        f"{name}.targets": seen.targets.astype(np.int16),
        **_pack(f"{name}.plain", seen.plain),
    }
    if seen.looks is not None:
        looked = np.flatnonzero(np.isfinite(seen.looks).all(axis=(1, 2)))
        arrays |= {f"{name}.looked": looked, **_pack(f"{name}.looks", seen.looks[looked])}
    return arrays


def _to_seen(name: str, arrays: Mapping[str, np.ndarray]) -> Seen:
    plain, looks = _unpack(f"{name}.plain", arrays), None
    if f"{name}.looked" in arrays:
        packed = _unpack(f"{name}.looks", arrays)
        looks = np.full((len(plain), *packed.shape[1:]), np.nan, np.float32)
        looks[arrays[f"{name}.looked"]] = packed
    photos = tuple(bytes(row).hex() for row in arrays[f"{name}.photos"])
    return Seen(photos, arrays[f"{name}.targets"].astype(int), plain, looks)


def _from_traits(traits: tuple[Traits, ...]) -> np.ndarray:
    rows = [(t.width, t.height, _or_nan(t.brightness), _or_nan(t.sharpness)) for t in traits]
    return np.array(rows, np.float32).reshape(len(traits), 4)


def _to_traits(array: np.ndarray) -> tuple[Traits, ...]:
    return tuple(
        Traits(int(width), int(height), _or_none(brightness), _or_none(sharpness))
        for width, height, brightness, sharpness in array.tolist()
    )


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
