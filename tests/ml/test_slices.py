import numpy as np
import pytest
from PIL import Image, ImageFilter

from ml.examples import Example
from ml.photos import decode_photo
from ml.slices import Traits, look_at, slices_of, traits_of
from tests.photos import encode, photo_bytes

LABELS = ("cat", "dog")


def photo_of(pixels):
    return decode_photo(encode(Image.fromarray(pixels.astype(np.uint8)), "PNG"))


def names_of(traits, target=0):
    return set(slices_of([traits], np.array([target]), LABELS))


def test_brightness_is_the_mean_grey():
    assert traits_of(photo_of(np.full((50, 60, 3), 40))).brightness == 40


def test_a_flat_photo_has_no_sharpness_and_checks_have_as_much_as_can_be():
    y, x = np.mgrid[:224, :224]
    checks = np.repeat(((x + y) % 2 * 255)[..., None], 3, axis=2)

    assert traits_of(photo_of(np.full((224, 224, 3), 90))).sharpness == 0
    # Each pixel differs from its four neighbours by 255: ±1020, half of them each.
    assert traits_of(photo_of(checks)).sharpness == pytest.approx(1020**2)


def test_blurring_a_photo_makes_it_less_sharp():
    pixels = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(3)))

    assert traits_of(photo_of(blurred)).sharpness < traits_of(photo_of(pixels)).sharpness / 10


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        (Traits(199, 800, 84.9, 99), "oblong|below 200|dark|blurred"),
        (Traits(200, 200, 85, 100), "square|200 to 499|medium|medium"),
        (Traits(500, 900, 170, 500), "oblong|500 and more|bright|sharp"),
    ],
)
def test_limits_between_slices_are_fixed(traits, expected):
    shape, size, light, focus = expected.split("|")

    assert names_of(traits) == {
        f"shape: {shape}",
        f"short side: {size}",
        f"brightness: {light}",
        f"focus: {focus}",
        "label: cat",
    }


def test_a_photo_at_which_nobody_looked_is_in_slices_by_size_and_label_alone():
    assert names_of(Traits(100, 100), target=1) == {
        "shape: square",
        "short side: below 200",
        "label: dog",
    }


def test_no_slice_is_empty():
    masks = slices_of([Traits(9, 9), Traits(9, 10)], np.array([0, 0]), LABELS)

    assert "label: dog" not in masks
    assert list(masks["shape: square"]) == [True, False]


def test_photos_whose_sizes_are_known_are_looked_at_again(tmp_path):
    (tmp_path / "there.png").write_bytes(photo_bytes(size=(64, 48), format="PNG"))
    examples = [Example(tmp_path / name, "cat", name) for name in ("there.png", "gone.png")]

    there, gone = look_at(examples, np.array([[64, 48], [30, 40]]))

    assert (there.width, there.height) == (64, 48)
    assert there.brightness is not None
    assert gone == Traits(30, 40)
