"""The heat map means something: it follows the animal, adds up to the answer, and has a head."""

import hashlib
from itertools import islice

import numpy as np
import pytest
from django.conf import settings
from PIL import Image

from ml.examples import split_of
from ml.explain import EVERYWHERE, NOWHERE, Heat, Look, heat_for, look
from ml.heads import Head
from ml.inference import OnnxEngine, is_hard, mean_of_both
from ml.photos import decode_photo, fit
from ml.registry import load_card, save_version
from ml.surgery import read_head, with_head
from ml.views import VIEWS, box_of, view
from tests.cartoons import cartoon
from tests.photos import chelsea
from tests.shipped import ANSWERS, SMALL

SHIPPED = (ANSWERS, SMALL)
LABELS = ("cat", "dog")
HALF = 160


@pytest.fixture(scope="module")
def engines():
    return {name: OnnxEngine(settings.BASE_DIR / "models" / name) for name in SHIPPED}


def beside(left, right):
    """Two photos side by side on a plain background."""
    canvas = np.full((2 * HALF, 2 * HALF, 3), (190, 200, 190), np.uint8)
    for start, photo in ((0, left), (HALF, right)):
        if photo is not None:
            canvas[HALF // 2 : 3 * HALF // 2, start : start + HALF] = fit(photo, HALF)
    return canvas


def heat_of(engine, pixels, label):
    return heat_for(look(engine, pixels), engine.card.labels, label)


def share_on_the_left(heat):
    """From 0 to 1; a half where nothing is hot, which is no side."""
    columns, whole = heat.values.shape[1], heat.values.sum()
    weights = np.clip(columns / 2 - np.arange(columns), 0, 1)
    return float((heat.values * weights).sum() / whole) if whole else 0.5


@pytest.mark.parametrize("name", SHIPPED)
def test_the_heat_goes_where_the_cat_goes(engines, name):
    left = heat_of(engines[name], beside(chelsea(), None), "cat")
    right = heat_of(engines[name], beside(None, chelsea()), "cat")

    assert share_on_the_left(left) > 0.85
    assert share_on_the_left(right) < 0.15
    assert "left" not in right.where and "right" not in left.where


@pytest.mark.parametrize("seed", range(4))
def test_a_cat_and_a_drawn_dog_have_each_their_side(engines, seed):
    engine, dog = engines[SHIPPED[0]], cartoon("dog", seed)

    for scene, cat_is_left in ((beside(chelsea(), dog), True), (beside(dog, chelsea()), False)):
        for label in LABELS:
            on_the_left = share_on_the_left(heat_of(engine, scene, label))
            is_left = cat_is_left == (label == "cat")
            assert (on_the_left if is_left else 1 - on_the_left) > 0.65, (seed, label)


@pytest.mark.needs_data
@pytest.mark.parametrize(("name", "enough"), [(SHIPPED[0], 0.9), (SHIPPED[1], 0.8)])
def test_it_follows_real_cats_and_dogs_that_it_never_saw(engines, name, enough):
    """Of 80 scenes, both were on their side in 100 % and 88.8 %; here are 20 of them."""
    right = []
    for cat, dog in zip(*(unseen(settings.DATA_DIR / label, 10) for label in LABELS), strict=True):
        for scene, cat_is_left in ((beside(cat, dog), True), (beside(dog, cat), False)):
            looks = look(engines[name], scene)
            cat_left, dog_left = (
                share_on_the_left(heat_for(looks, LABELS, label)) for label in LABELS
            )
            right.append(cat_left > 0.5 > dog_left if cat_is_left else cat_left < 0.5 < dog_left)

    assert np.mean(right) >= enough


def unseen(folder, number):
    photos = (path.read_bytes() for path in sorted(folder.iterdir()))
    holdout = (d for d in photos if split_of(hashlib.sha256(d).hexdigest()) == "holdout")
    return [decode_photo(data).pixels for data in islice(holdout, number)]


def test_heads_of_chance_draw_other_maps(engines, tmp_path):
    folder = settings.BASE_DIR / "models" / SHIPPED[1]
    network = (folder / "model.onnx").read_bytes()
    old, chance = read_head(network), np.random.default_rng(0)
    scene = beside(chelsea(), cartoon("dog", 0))
    true = heat_of(engines[SHIPPED[1]], scene, "cat").values

    likenesses = []
    for number in range(16):  # of as many places, two maps may look alike by chance
        kernel = chance.permuted(old.kernel, axis=0).astype(np.float16).astype(np.float32)
        files = {"model.onnx": with_head(network, Head(kernel, old.bias))}
        by_chance = save_version(tmp_path / str(number), load_card(folder), files)
        false = heat_of(OnnxEngine(by_chance), scene, "cat").values
        likenesses.append(np.corrcoef(true.ravel(), false.ravel())[0, 1])

    assert np.mean(likenesses) < 0.5  # 0.25, by 64 heads


@pytest.mark.parametrize("name", SHIPPED)
def test_a_map_adds_up_to_the_answer(engines, name):
    engine = engines[name]
    logits, _ = engine.run(fit(chelsea(), engine.card.side)[np.newaxis])

    heat = heat_of(engine, chelsea(), "cat")

    assert heat.margin == pytest.approx(float(logits[0, 0] - logits[0, 1]), abs=1e-3)
    assert heat.values.max() == 1
    assert heat.values.min() >= 0


def test_a_hard_photo_is_explained_by_all_that_was_looked_at(engines):
    engine = engines[SHIPPED[0]]
    dog = np.asarray(Image.fromarray(cartoon("dog", 0)).resize((480, 320)))
    logits, _ = engine.run(fit(dog, engine.card.side)[np.newaxis])
    assert is_hard(logits, engine.card)[0]
    second = engine.card.second
    mean = mean_of_both(logits[0], engine.look_again(dog), second)

    looks = look(engine, dog)
    heat = heat_for(looks, LABELS, "dog", aspect=1.5)

    assert len(looks) == 1 + len(second.looks)
    assert heat.box == pytest.approx((0, 0, 1, 1))
    assert heat.values.shape == (12, 18)
    assert heat.margin == pytest.approx(mean[1] - mean[0], abs=1e-3)


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("size", [(300, 200), (200, 300), (240, 240)])
def test_a_view_shows_its_box(name, size):
    width, height = size
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([255 * x / width, 255 * y / height, 0 * x], axis=2).astype(np.uint8)

    left, top, across, down = box_of(name, width, height)
    seen = view(pixels, name, 64)[8:56, 8:56].astype(float)

    middles = (np.arange(8, 56) + 0.5) / 64
    assert np.abs(seen[..., 0] - 255 * (left + across * middles)).max() < 4
    assert np.abs(seen[..., 1] - 255 * (top + down * middles)[:, None]).max() < 4


def test_looks_meet_at_the_same_place_in_the_photo():
    """A spot two thirds across and one third down, seen by three looks of different extents."""
    looks = []
    for name in ("plain", "closer", "whole"):
        left, top, across, down = box_of(name, 300, 200)
        place = (np.arange(24) + 0.5) / 24
        spot = np.hypot(
            1.5 * (left + across * place[None] - 2 / 3), top + down * place[:, None] - 1 / 3
        )
        local = np.stack([1 - 2 * spot, 0 * spot], axis=2)
        looks.append(Look((left, top, across, down), local))

    heat = heat_for(looks, LABELS, "cat", aspect=1.5)

    assert heat.values.shape == (12, 18)
    hottest = np.unravel_index(heat.values.argmax(), heat.values.shape)
    assert hottest == pytest.approx((12 / 3, 2 * 18 / 3), abs=1)


@pytest.mark.parametrize(
    ("places", "where"),
    [
        ({(1, 1)}, "upper left"),
        ({(7, 4)}, "lower middle"),
        ({(4, 4)}, "middle"),
        ({(4, 1)}, "middle left"),
        ({(1, 7), (4, 7), (7, 7)}, "right"),
        ({(7, 1), (7, 4), (7, 7)}, "lower"),
        ({(1, 1), (1, 7), (7, 1), (7, 7), (4, 4)}, EVERYWHERE),
        (set(), NOWHERE),
    ],
)
def test_where_the_heat_is_in_words(places, where):
    values = np.zeros((9, 9))
    for place in places:
        values[place] = 1

    assert Heat("cat", (0, 0, 1, 1), values, 1.0).where == where


def test_faint_heat_is_as_good_as_none():
    assert Heat("cat", (0, 0, 1, 1), np.full((2, 2), 0.09), 1.0).where == NOWHERE


def test_the_middle_square_of_a_wide_photo_is_its_middle():
    values = np.zeros((7, 7))
    values[3, 0] = 1  # at the left of what was looked at

    assert Heat("cat", (0.35, 0, 0.3, 1), values, 1.0).where == "middle"


def test_of_many_labels_those_that_came_near_count():
    local = np.zeros((1, 2, 3), np.float32)
    local[0, 0] = 9, 0, -9  # a place that tells cat from dog
    local[0, 1] = 6, 9, -18  # one that speaks for dog, and only against hares for cat

    heat = heat_for([Look((0, 0, 1, 1), local)], ("cat", "dog", "hare"), "cat")

    assert heat.values[0, 0] == 1
    assert heat.values[0, 1] < 0.01


def test_it_knows_no_other_labels():
    with pytest.raises(ValueError, match="cat, dog"):
        heat_for([Look((0, 0, 1, 1), np.zeros((2, 2, 2)))], LABELS, "hare")
