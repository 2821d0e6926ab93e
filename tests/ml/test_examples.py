import hashlib
from pathlib import Path

import pytest

from ml.examples import Example, counts, data_digest, in_split, labels_of, split_of


def make_example(name="1.jpg", label="cat", content=b"1", group=""):
    return Example(Path(label, name), label, hashlib.sha256(content).hexdigest(), group)


@pytest.mark.parametrize(
    ("sha256", "split"),
    [
        ("00000000" + "f" * 56, "train"),
        ("cccccccc" + "0" * 56, "train"),
        ("cccccccd" + "0" * 56, "calibration"),
        ("e6666666" + "0" * 56, "calibration"),
        ("e6666667" + "0" * 56, "holdout"),
        ("f" * 64, "holdout"),
    ],
)
def test_a_photo_never_changes_sides(sha256, split):
    assert split_of(sha256) == split


def test_a_photo_follows_its_group_to_the_split_of_the_group():
    holdout, train = "f" * 64, "0" * 64

    assert make_example(group=holdout).split == "holdout"
    assert make_example(group=train).split == "train"


def test_the_split_is_80_10_10():
    examples = [make_example(content=str(i).encode()) for i in range(10_000)]

    shares = [len(in_split(examples, s)) / 10_000 for s in ("train", "calibration", "holdout")]

    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.01)


def test_the_digest_names_content_and_labels_whatever_the_names_and_order():
    one, two = make_example("1.jpg", "cat", b"1"), make_example("2.jpg", "dog", b"2")
    moved = make_example("other.jpg", "cat", b"1")

    assert data_digest([one, two]) == data_digest([two, moved])
    assert data_digest([one, two]) != data_digest([one])
    assert data_digest([one]) != data_digest([make_example("1.jpg", "dog", b"1")])


def test_the_digest_tells_apart_on_whose_side_a_photo_is():
    alone, follower = make_example(), make_example(group="f" * 64)
    leader = make_example(group=make_example().sha256)

    assert data_digest([alone]) == data_digest([leader])
    assert data_digest([alone]) != data_digest([follower])


def test_labels_are_in_alphabetical_order():
    examples = [make_example(label=label) for label in ("dog", "ant", "cat", "dog")]

    assert labels_of(examples) == ("ant", "cat", "dog")


def test_counts_has_each_split_and_label_even_where_there_are_none():
    example = make_example()

    table = counts([example, example])

    assert {split: sum(row.values()) for split, row in table.items()} == {
        **dict.fromkeys(("train", "calibration", "holdout"), 0),
        example.split: 2,
    }
