"""A base in one file: arrays of NumPy, features in a byte each, nothing that could run."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ml.base import NUM_DIGITS, Base, BaseError, Rehearsal, Seen
from ml.heads import Head
from ml.slices import Traits

# What a file of this kind is called inside; another number is another arrangement.
_KIND = "catsdogs-base-1"
_STEPS = 255


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


def peek(path: Path) -> Mapping[str, Any]:
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
            [list(bytes.fromhex(photo[:NUM_DIGITS])) for photo in seen.photos], np.uint8
        ).reshape(len(seen), NUM_DIGITS // 2),
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
