"""Kinds of photos that are scored apart: by shape, size, brightness, blur and label.

The limits are fixed and follow no data, so that slices of one set mean what those of another do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ml.examples import Example
from ml.features import each_photo
from ml.marked import gettext_noop
from ml.photos import Photo, PhotoError, fit

# Short side in pixels: below a thumbnail's, below what phones and the web send, that.
_SIZES = ((200, "below 200"), (500, "200 to 499"), (np.inf, "500 and more"))
# Mean grey: thirds of the range from 0 to 255.
_BRIGHTNESSES = ((85, "dark"), (170, "medium"), (np.inf, "bright"))
# 100 is the customary limit of blur; of 1,125 photos of cats and dogs 8 % lie below it, 36 % from
# 500 up.
_SHARPNESSES = ((100, "blurred"), (500, "medium"), (np.inf, "sharp"))

# What the slices are called in all, for whoever says them in another language.
NAMES = (
    gettext_noop("label: %(label)s"),
    *(gettext_noop("shape: square"), gettext_noop("shape: oblong")),
    *(gettext_noop("short side: below 200"), gettext_noop("short side: 200 to 499")),
    gettext_noop("short side: 500 and more"),
    *(gettext_noop("brightness: dark"), gettext_noop("brightness: medium")),
    gettext_noop("brightness: bright"),
    *(gettext_noop("focus: blurred"), gettext_noop("focus: medium"), gettext_noop("focus: sharp")),
)

# Sharpness depends on the scale, so it is measured at about the one that networks see.
_SIDE = 224


@dataclass(frozen=True)
class Traits:
    """What is known of a photo beside what it shows.

    Attributes:
        width: In pixels, as a person sees it.
        height: Likewise.
        brightness: Mean grey, from 0 to 255; None where nobody looked.
        sharpness: Variance of the Laplacian of the middle square at 224 pixels a side, at or above
            0; None where nobody looked.
    """

    width: int
    height: int
    brightness: float | None = None
    sharpness: float | None = None


def traits_of(photo: Photo) -> Traits:
    """Look at a photo.

    Source:
        Variance of the Laplacian: J. Pech-Pacheco, G. Cristóbal, J. Chamorro-Martínez,
        J. Fernández-Valdivia, "Diatom autofocusing in brightfield microscopy: a comparative
        study", ICPR 2000.
    """
    grey = Image.fromarray(fit(photo.pixels, _SIDE)).convert("L")
    light = np.asarray(grey, np.float64)  # (224, 224)
    around = light[:-2, 1:-1] + light[2:, 1:-1] + light[1:-1, :-2] + light[1:-1, 2:]
    laplacian = around - 4 * light[1:-1, 1:-1]
    return Traits(photo.width, photo.height, float(light.mean()), float(laplacian.var()))


def look_at(examples: Sequence[Example], sizes: np.ndarray) -> list[Traits]:
    """Traits of photos whose sizes are known from before; a photo gone since has no others.

    Args:
        examples: The photos, `n` of them.
        sizes: Width and height of each, shape `(n, 2)`.
    """
    seen = each_photo(examples, lambda photo, _: traits_of(photo), "Looking at the holdout")
    return [
        Traits(int(width), int(height)) if isinstance(traits, PhotoError) else traits
        for (_, traits), (width, height) in zip(seen, sizes, strict=True)
    ]


def slices_of(
    traits: Sequence[Traits], targets: np.ndarray, labels: Sequence[str]
) -> Mapping[str, np.ndarray]:
    """Name of a slice to the photos that belong, as a mask of shape `(n,)`; none is empty.

    Args:
        traits: Of `n` photos.
        targets: Index of each photo's true label, shape `(n,)`.
        labels: The version's.
    """
    square = np.array([each.width == each.height for each in traits])
    masks = {
        # Exactly square photos are rare in life: in a data set they have mostly been squashed.
        "shape: square": square,
        "shape: oblong": ~square,
        **{f"label: {label}": targets == index for index, label in enumerate(labels)},
        **_by("short side", [min(each.width, each.height) for each in traits], _SIZES),
        **_by("brightness", [each.brightness for each in traits], _BRIGHTNESSES),
        **_by("focus", [each.sharpness for each in traits], _SHARPNESSES),
    }
    return {name: mask for name, mask in masks.items() if mask.any()}


def _by(
    trait: str, values: Sequence[float | None], limits: Sequence[tuple[float, str]]
) -> dict[str, np.ndarray]:
    """The photos between each two limits; where nobody looked, in none."""
    # Not-a-number lies below no limit and above none.
    measured = np.array([np.nan if value is None else value for value in values], float)
    found, low = {}, -np.inf
    for high, name in limits:
        found[f"{trait}: {name}"] = (measured >= low) & (measured < high)
        low = high
    return found
