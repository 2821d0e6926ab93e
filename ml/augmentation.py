"""Photos as they might have come in as well: other crops and shapes, tilted, blurred, dimmed."""

import io

import numpy as np
from PIL import Image, ImageFilter

# Share of photos that each change is made to; flips go to half of them, crops to all.
_TILTED, _BLURRED, _JPEG, _SMALL, _DIMMED, _GREY = 0.2, 0.08, 0.08, 0.06, 0.25, 0.05

# Degrees, and how far one has to cut into the sides so that no black corner is left at most tilts.
_TILT, _CUT = 12, 0.08
# Smallest share of the square that a crop shows.
_LEAST_AREA = 0.5
# Photos of true shape and squashed ones differ by a third; both ways and a little more.
_STRETCH = 1.4


def augment(pixels: np.ndarray, side: int, chance: np.random.Generator) -> np.ndarray:
    """A random view of a photo, ready for a network.

    Args:
        pixels: `uint8`, shape `(h, w, 3)`.
        side: Side in pixels of what comes out.
        chance: Decides all there is to decide: the same generator gives the same view.

    Returns:
        `uint8`, shape `(side, side, 3)`.
    """
    image = Image.fromarray(pixels)
    if chance.random() < _TILTED:
        image = _tilted(image, chance.uniform(-_TILT, _TILT))
    image = image.resize(
        (side, side), Image.Resampling.BILINEAR, box=_crop(image.size, chance), reducing_gap=2.0
    )
    if chance.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(_recoloured(_worsened(image, chance), chance))


def _tilted(image: Image.Image, degrees: float) -> Image.Image:
    turned = image.rotate(degrees, Image.Resampling.BILINEAR)
    left, top = int(image.width * _CUT), int(image.height * _CUT)
    return turned.crop((left, top, image.width - left, image.height - top))


def _crop(size: tuple[int, int], chance: np.random.Generator) -> tuple[float, float, float, float]:
    """A box that, scaled to a square, shows part of a photo, stretched a little."""
    width, height = size
    edge = min(size) * np.sqrt(chance.uniform(_LEAST_AREA, 1))
    stretch = np.sqrt(_STRETCH ** chance.uniform(-1, 1))
    across, down = min(width, edge * stretch), min(height, edge / stretch)
    left, top = chance.uniform(0, width - across), chance.uniform(0, height - down)
    return left, top, left + across, top + down


def _worsened(image: Image.Image, chance: np.random.Generator) -> Image.Image:
    """Blurred, saved at low quality, small before it was enlarged; mostly none of them."""
    drawn, side = chance.random(), image.width
    if drawn < _BLURRED:
        return image.filter(ImageFilter.GaussianBlur(side / 224 * chance.uniform(0.5, 2.5)))
    if drawn < _BLURRED + _JPEG:
        target = io.BytesIO()
        image.save(target, "JPEG", quality=int(chance.uniform(15, 60)))
        return Image.open(target)
    if drawn < _BLURRED + _JPEG + _SMALL:
        small = max(1, round(side * chance.uniform(0.3, 0.7)))
        return image.resize((small, small)).resize(image.size, Image.Resampling.BICUBIC)
    return image


def _recoloured(image: Image.Image, chance: np.random.Generator) -> Image.Image:
    if chance.random() < _GREY:
        image = image.convert("L").convert("RGB")
    if chance.random() < _DIMMED:
        factor = chance.uniform(0.5, 1.3)
        image = image.point([min(255, round(value * factor)) for value in range(256)] * 3)
    return image
