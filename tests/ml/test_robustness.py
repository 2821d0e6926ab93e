import numpy as np
import pytest
from PIL import Image

from ml.examples import Example
from ml.robustness import CHANGES, UNCHANGED, choose_sample, try_changes
from tests.make import FakeEngine, make_card
from tests.ml.answers import LookingEngine, make_examples
from tests.photos import drawn_pixels, encode


@pytest.fixture
def examples(tmp_path):
    """A cat and a dog, as `LookingEngine` knows them: light from above, light from below."""
    found = []
    for number, (label, light) in enumerate({"cat": (250, 60), "dog": (60, 250)}.items()):
        pixels = np.repeat(light, 100)[:, None, None] * np.ones((1, 150, 3))
        path = tmp_path / f"{label}.png"
        path.write_bytes(encode(Image.fromarray(pixels.astype(np.uint8)), "PNG"))
        found.append(Example(path, label, str(number)))
    return found


def test_a_photo_turned_by_exif_gives_the_very_same_pixels():
    pixels = drawn_pixels((101, 64))

    assert (CHANGES["turned by EXIF"](pixels) == pixels).all()


@pytest.mark.parametrize(
    ("change", "corner"),  # where the bright corner of a drawn photo, left and up, goes to
    [("turned by 90°", (0, -1)), ("turned by 180°", (-1, -1)), ("turned by 270°", (-1, 0))],
)
def test_a_turned_photo_is_turned_clockwise(change, corner):
    turned = CHANGES[change](drawn_pixels((64, 48)))

    bright = {(y, x) for y in (0, -1) for x in (0, -1) if turned[y, x].min() == 250}
    assert bright == {corner}


def test_changes_change_what_they_say():
    pixels = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)

    changed = {name: change(pixels) for name, change in CHANGES.items()}

    assert changed["cropped by 20 %"].shape == (160, 240, 3)
    assert changed["64 pixels"].shape == (64, 96, 3)
    assert np.ptp(changed["grey"], axis=2).max() == 0
    assert changed["a quarter of the light"].max() == 63
    assert changed["blurred"].std() < pixels.std() / 2
    assert (changed["JPEG quality 20"] != pixels).any()
    assert all(each.dtype == np.uint8 for each in changed.values())


def test_a_photo_already_small_is_not_made_larger():
    assert CHANGES["64 pixels"](drawn_pixels((40, 50))).shape == (50, 40, 3)


def test_answers_to_changed_photos_are_compared_with_those_to_unchanged_ones(examples):
    tried = {each.change: each for each in try_changes(LookingEngine(), examples)}

    assert list(tried) == list(CHANGES)
    assert (tried[UNCHANGED].accuracy, tried[UNCHANGED].moved) == (1, 0)
    assert (tried["turned by EXIF"].accuracy, tried["turned by EXIF"].moved) == (1, 0)
    assert (tried["turned by 180°"].accuracy, tried["turned by 180°"].moved) == (0, 1)
    assert tried["turned by 180°"].told.right == 0


def test_becoming_unsure_counts_as_told_something_else(examples):
    engine = LookingEngine(unsure_below=0.999)

    dark = {each.change: each for each in try_changes(engine, examples)}["a quarter of the light"]

    assert (dark.accuracy, dark.told.unsure, dark.moved) == (1, 1, 1)


def test_photos_that_cannot_be_decoded_are_passed_over(examples, tmp_path):
    broken = Example(tmp_path / "gone.png", "cat", "2")

    assert try_changes(LookingEngine(), [*examples, broken])[0].count == 2
    with pytest.raises(ValueError, match="None of 1 photos"):
        try_changes(FakeEngine(make_card()), [broken])


def test_a_sample_is_chosen_by_content_alone():
    examples = make_examples(*["cat"] * 30)

    chosen = choose_sample(examples, 10)

    assert chosen == choose_sample(examples[::-1], 10)
    assert len({example.sha256 for example in chosen}) == 10
    # Not by the digits that decide the split.
    assert {example.sha256[-1] for example in chosen} == {"0", "1", "2", "3", "4"}
