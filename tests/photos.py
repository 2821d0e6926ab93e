"""Photos for tests, drawn by code; and one real cat, scikit-image's CC0 photo of Chelsea."""

import io

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

_ORIENTATION = 0x0112  # EXIF's tag


def drawn_pixels(size=(64, 48), colour=(200, 120, 40)):
    """A two-coloured picture, its left upper quarter bright: which way is up can be seen in it."""
    width, height = size
    pixels = np.full((height, width, 3), colour, np.uint8)
    pixels[: height // 2, : width // 2] = 250
    return pixels


def photo_bytes(
    size=(64, 48), format="JPEG", mode="RGB", orientation=None, colour=(200, 120, 40), **options
):
    """A whole file. `orientation` is EXIF's number from 1 to 8."""
    image = Image.fromarray(drawn_pixels(size, colour)).convert(mode)
    return encode(image, format, orientation=orientation, **options)


def encode(image, format="JPEG", orientation=None, **options):
    if orientation:
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        options["exif"] = exif
    target = io.BytesIO()
    image.save(target, format, **options)
    return target.getvalue()


def photo_upload(data=None, name="photo.jpg", content_type="image/jpeg"):
    """An upload for the test client: a drawn photo, or the bytes given."""
    data = photo_bytes() if data is None else data
    return SimpleUploadedFile(name, data, content_type=content_type)


def chelsea():
    """Pixels of a real cat, shape (300, 451, 3)."""
    from skimage.data import chelsea

    return chelsea()
