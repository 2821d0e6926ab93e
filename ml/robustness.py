"""The same photos again, changed as life changes them: does a version still say the same?"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from ml.examples import Example
from ml.features import each_photo
from ml.inference import Answer, Engine
from ml.photos import Photo, PhotoError, decode_photo
from ml.scores import Told, count_told, wilson_interval

# Photos to try: each is asked about a dozen times.
SAMPLE = 400

UNCHANGED = "unchanged"
_ORIENTATION = 0x0112  # EXIF's tag
_SIDEWAYS = 6  # EXIF: to be shown turned by 90° clockwise, as phones held upright write it


@dataclass(frozen=True)
class Tried:
    """What became of the answers when photos were changed in one way.

    Attributes:
        change: In what way: one of `CHANGES`.
        count: Photos that were changed.
        accuracy: Share of them whose most probable label is right.
        accuracy_interval: 95 % interval of it.
        told: What people would have been told.
        moved: Share of the photos of which they would have been told something else than of the
            unchanged photo.
    """

    change: str
    count: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    told: Told
    moved: float


def _turned_by_exif(pixels: np.ndarray) -> np.ndarray:
    """Pixels lying on their side, and a note in the file that says so: nothing should change."""
    exif = Image.Exif()
    exif[_ORIENTATION] = _SIDEWAYS
    target = io.BytesIO()
    # PNG, since it loses nothing: what differs in an answer is then not for re-encoding.
    Image.fromarray(np.rot90(pixels)).save(target, "PNG", exif=exif, compress_level=1)
    return decode_photo(target.getvalue()).pixels


def _turned(quarters: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda pixels: np.ascontiguousarray(np.rot90(pixels, -quarters))


def _blurred(pixels: np.ndarray) -> np.ndarray:
    """By a Gaussian whose deviation is a 75th of the short side: 3 pixels of 224."""
    image = Image.fromarray(pixels)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(min(image.size) / 75)))


def _jpeg(pixels: np.ndarray) -> np.ndarray:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=20)
    return decode_photo(target.getvalue()).pixels


def _grey(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))


def _cropped(pixels: np.ndarray) -> np.ndarray:
    """The middle four fifths of each side."""
    height, width = pixels.shape[:2]
    top, left = height // 10, width // 10
    return pixels[top : height - top, left : width - left]


def _dark(pixels: np.ndarray) -> np.ndarray:
    return pixels // 4


def _small(pixels: np.ndarray) -> np.ndarray:
    """64 pixels on the short side; a photo smaller than that stays as it is."""
    image = Image.fromarray(pixels)
    scale = 64 / min(image.size)
    if scale >= 1:
        return pixels
    size = round(image.width * scale), round(image.height * scale)
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    UNCHANGED: lambda pixels: pixels,
    "turned by EXIF": _turned_by_exif,
    "turned by 90°": _turned(1),
    "turned by 180°": _turned(2),
    "turned by 270°": _turned(3),
    "blurred": _blurred,
    "JPEG quality 20": _jpeg,
    "grey": _grey,
    "cropped by 20 %": _cropped,
    "a quarter of the light": _dark,
    "64 pixels": _small,
}


def choose_sample(examples: Sequence[Example], size: int = SAMPLE) -> list[Example]:
    """Some of the photos, chosen by their content: the same ones in every run.

    A photo's split goes by the first digits of its SHA-256, so the last ones choose here.
    """
    return sorted(examples, key=lambda example: example.sha256[::-1])[:size]


def try_changes(engine: Engine, examples: Sequence[Example]) -> list[Tried]:
    """Ask a version about photos as they are, and about the same ones in each changed way.

    Args:
        engine: The version, running exactly as it serves.
        examples: Photos whose labels it knows; those that cannot be decoded are passed over.

    Returns:
        One for each of `CHANGES`, the unchanged photos first.

    Raises:
        ValueError: if no photo can be decoded.
    """

    def ask(photo: Photo, _: Example) -> list[Answer]:
        return [engine.predict(change(photo.pixels)) for change in CHANGES.values()]

    asked = [
        (example.label, answers)
        for example, answers in each_photo(examples, ask, "Asking about changed photos")
        if not isinstance(answers, PhotoError)
    ]
    if not asked:
        raise ValueError(f"None of {len(examples)} photos can be decoded.")
    labels = [label for label, _ in asked]
    by_change = list(zip(*(answers for _, answers in asked), strict=True))
    return [
        _compare(change, answers, by_change[0], labels)
        for change, answers in zip(CHANGES, by_change, strict=True)
    ]


def _compare(
    change: str, answers: Sequence[Answer], before: Sequence[Answer], labels: Sequence[str]
) -> Tried:
    pairs = list(zip(answers, labels, strict=True))
    right = sum(answer.label == label for answer, label in pairs)
    moved = sum(a.answer != b.answer for a, b in zip(answers, before, strict=True))
    return Tried(
        change=change,
        count=len(pairs),
        accuracy=right / len(pairs),
        accuracy_interval=wilson_interval(right, len(pairs)),
        told=count_told(answers, labels),
        moved=moved / len(pairs),
    )
