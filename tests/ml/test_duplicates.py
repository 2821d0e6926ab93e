import numpy as np
import pytest
from PIL import Image

from ml.duplicates import MAX_DISTANCE, groups_of, near_pairs, perceptual_hash, thumbnail
from ml.photos import decode_photo
from tests.ml.scenes import LABELS, scene
from tests.photos import encode


def hash_of(pixels):
    return perceptual_hash(thumbnail(pixels)[np.newaxis])[0]


def distance(one, other):
    return int(np.bitwise_count(hash_of(one) ^ hash_of(other)))


def resaved(pixels, size, quality):
    image = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    return decode_photo(encode(image, "JPEG", quality=quality)).pixels


@pytest.mark.parametrize(
    ("size", "quality"), [((48, 48), 30), ((96, 96), 75), ((40, 40), 75), ((96, 48), 75)]
)
def test_a_photo_saved_again_smaller_larger_squashed_or_worse_is_near(size, quality):
    pixels = scene("dawn", 1)

    assert distance(pixels, resaved(pixels, size, quality)) <= MAX_DISTANCE


def test_a_brighter_photo_is_near():
    pixels = scene("dusk", 1)

    assert distance(pixels, np.minimum(pixels * 1.1, 255).astype(np.uint8)) <= MAX_DISTANCE


def test_no_two_different_scenes_are_near():
    thumbnails = [thumbnail(scene(label, i)) for label in LABELS for i in range(40)]

    assert near_pairs(perceptual_hash(np.stack(thumbnails))) == []


def test_half_of_the_bits_are_set_so_that_no_hash_is_near_all_others():
    hashes = perceptual_hash(np.stack([thumbnail(scene("dawn", i)) for i in range(10)]))

    assert hashes.dtype == np.uint64
    assert np.bitwise_count(hashes).tolist() == [32] * 10


def test_pairs_are_those_that_comparing_one_by_one_finds_across_blocks():
    chance = np.random.default_rng(0)
    hashes = chance.integers(0, 2**64, 600, dtype=np.uint64)
    hashes[599] = hashes[0] ^ np.uint64(0b11111111)
    hashes[300] = hashes[299] ^ np.uint64(0b111111111)
    hashes[301] = hashes[2]

    assert near_pairs(hashes, 8) == [(0, 599), (2, 301)]
    assert near_pairs(hashes, 9) == [(0, 599), (2, 301), (299, 300)]


def test_pairs_join_to_groups_called_by_their_smallest_name():
    names = ["d", "a", "c", "b", "f", "e"]

    assert groups_of(names, [(0, 2), (2, 1), (4, 5)]) == {
        **dict.fromkeys("acd", "a"),
        **dict.fromkeys("ef", "e"),
    }


def test_without_pairs_there_is_no_group():
    assert groups_of(["a", "b"], []) == {}
