import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from ml.examples import in_split
from ml.heads import TrainingError
from ml.sources import read_folder

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")

from ml import fitting  # noqa: E402
from ml.batches import augmented_batches, remember  # noqa: E402
from ml.photos import decode_photo, fit  # noqa: E402
from ml.scratch import Network  # noqa: E402
from tests.ml.drawn import draw_folder  # noqa: E402

SIDE = 32
KINDS = ("checks", "rings", "stripes")


def tiny_body(x, painter):
    for number, channels in enumerate((8, 16)):
        name = f"conv{number}"
        x = painter.relu(painter.conv(x, channels, 3, name, stride=2), name)
    return x


TINY = Network("tiny", SIDE, tiny_body)
CONFIG = fitting.FitConfig(
    sides=(24,) * 4 + (32,) * 4,
    batch_size=8,
    peak_rate=0.2,
    averaged_over=10,
    policy="float32",  # whatever the machine is better at
)


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    folder = draw_folder(tmp_path_factory.mktemp("photos") / "drawn", KINDS, at_least=40)
    return read_folder(folder).examples


@pytest.fixture(scope="module")
def fitted(examples):
    return fitting.fit_network(examples, TINY, CONFIG)


def share_right(model, examples):
    pixels = [fit(decode_photo(e.path.read_bytes()).pixels, SIDE) for e in examples]
    answers = model.predict_on_batch(np.stack(pixels))["logits"].argmax(axis=1)
    return np.mean([KINDS[answer] == e.label for answer, e in zip(answers, examples, strict=True)])


def test_it_learns_to_tell_three_labels_apart(fitted, examples):
    assert fitted.labels == KINDS
    assert share_right(fitted.model, in_split(examples, "holdout")) >= 0.8


def test_the_history_is_a_row_an_epoch_of_plain_numbers(fitted):
    rows = json.loads(json.dumps(fitted.history))

    assert [row["epoch"] for row in rows] == list(range(1, 9))
    assert [row["side"] for row in rows] == list(CONFIG.sides)
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert {"accuracy", "learning_rate", "calibration_loss", "seconds", "cpu_seconds"} <= set(
        rows[0]
    )


def test_the_epoch_that_is_kept_is_the_best_at_the_last_side(fitted):
    last = {row["epoch"]: row["calibration_loss"] for row in fitted.history if row["side"] == 32}

    assert last[fitted.best_epoch] == min(last.values())


def test_what_comes_out_is_the_best_epoch_not_the_last(examples):
    losses, weights = iter([0.3, 0.1, 0.2]), []

    def epochs():
        for number, loss in enumerate(losses, 1):
            yield Holder([np.array([number])]), row(number, loss)

    best, history = fitting._best_of(
        epochs(), replace(CONFIG, sides=(32,) * 3), weights.append, lambda _m, _r: None
    )

    assert (best.epoch, best.weights[0].item()) == (2, 2)
    assert len(history) == 3


class Holder:
    def __init__(self, weights):
        self._weights = weights

    def get_weights(self):
        return self._weights


def row(number, loss, side=32):
    return {
        "epoch": number,
        "side": side,
        "loss": loss,
        "calibration_accuracy": 0.9,
        "calibration_loss": loss,
        "seconds": 1.0,
    }


def test_it_stops_once_it_has_not_got_better_for_long_enough():
    said = []
    epochs = ((Holder([np.zeros(1)]), row(number, 0.1 * number)) for number in itertools.count(1))
    config = replace(CONFIG, sides=(32,) * 100, patience=3)

    best, history = fitting._best_of(epochs, config, said.append, lambda _m, _r: None)

    assert (best.epoch, len(history)) == (1, 4)
    assert said[-1] == "No better epoch after 1: stopped."


def test_epochs_at_smaller_sides_are_neither_kept_nor_counted():
    epochs = iter(
        (Holder([np.zeros(1)]), row(number, loss, side))
        for number, (loss, side) in enumerate([(0.1, 24), (0.2, 24), (0.5, 32)], 1)
    )
    config = replace(CONFIG, sides=(24, 24, 32), patience=1)

    best, _ = fitting._best_of(epochs, config, lambda _: None, lambda _m, _r: None)

    assert best.epoch == 3


def test_the_same_seed_learns_the_same(fitted, examples):
    again = fitting.fit_network(examples, TINY, CONFIG)
    other = fitting.fit_network(examples, TINY, replace(CONFIG, seed=1, sides=(24, 32)))

    first, second = fitted.model.get_weights(), again.model.get_weights()
    # Half precision apart at most: threads add up in an order of their own.
    for ours, theirs in zip(first, second, strict=True):
        assert theirs == pytest.approx(ours, abs=5e-3)
    assert not np.allclose(other.model.get_weights()[0], first[0], atol=5e-3)


def test_half_precision_learns_as_well(examples):
    found = fitting.fit_network(examples, TINY, replace(CONFIG, policy="mixed_bfloat16"))

    assert found.device.policy == "mixed_bfloat16"
    assert share_right(found.model, in_split(examples, "holdout")) >= 0.8
    assert {w.dtype for w in found.model.get_weights()} == {np.dtype(np.float32)}


def test_a_loss_that_is_not_a_number_stops_it_with_advice(examples):
    with pytest.raises(TrainingError, match="loss became nan at step .* lower peak_rate than 1e"):
        fitting.fit_network(examples, TINY, replace(CONFIG, peak_rate=1e30))


def test_ctrl_c_passes_through(examples):
    def interrupt(model, row):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitting.fit_network(examples, TINY, CONFIG, watch=interrupt)


def test_each_epoch_can_be_watched_and_is_told(examples):
    said, seen = [], []

    fitting.fit_network(
        examples,
        TINY,
        replace(CONFIG, sides=(24, 32)),
        say=said.append,
        watch=lambda model, row: seen.append((model.name, row["epoch"])),
    )

    assert seen == [("tiny", 1), ("tiny", 2)]
    assert said[0] == "Training tiny from scratch on CPU in float32."
    assert said[1].startswith("Epoch 1 of 2 at 24 pixels: loss ")


def test_a_broken_photo_is_named_and_stops_nothing(examples, tmp_path):
    broken = tmp_path / "rings" / "broken.png"
    broken.parent.mkdir()
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    train = in_split(examples, "train")[0]
    said = []

    fitting.fit_network(
        [*examples, replace(train, path=broken)],
        TINY,
        replace(CONFIG, sides=(32,)),
        say=said.append,
    )

    assert "1 file cannot be decoded: rings/broken.png" in said


def test_a_split_without_photos_is_refused(examples):
    with pytest.raises(TrainingError, match="calibration split has no photo"):
        fitting.fit_network(in_split(examples, "train"), TINY, CONFIG)


def test_the_rate_climbs_to_its_peak_and_falls_to_nothing():
    rates = [fitting.one_cycle(done, CONFIG) for done in (0, 0.1, 0.2, 0.6, 1)]

    assert rates == pytest.approx([0, 0.1, 0.2, 0.1, 0])


@pytest.mark.parametrize(
    ("details", "policy"),
    [
        ({}, "float32"),
        ({"flags": {"avx2", "avx512f"}}, "float32"),
        ({"flags": {"avx512f", "avx512_bf16"}}, "mixed_bfloat16"),
        ({"device_name": "Tesla T4", "compute_capability": (7, 5)}, "float32"),
        ({"device_name": "A100", "compute_capability": (8, 0)}, "mixed_bfloat16"),
    ],
)
def test_half_precision_is_for_devices_that_have_it(details, policy):
    assert fitting.best_policy(details) == policy


def test_an_epoch_shows_each_photo_once_and_other_views_of_it_than_the_next(examples):
    memory = remember(in_split(examples, "train"), KINDS, lambda pixels: pixels)
    size = len(memory.photos) // 4

    first = list(augmented_batches(memory, 24, size, seed=0, epoch=1))
    again = list(augmented_batches(memory, 24, size, seed=0, epoch=1))
    second = list(augmented_batches(memory, 24, size, seed=0, epoch=2))

    assert len(first) == 4
    assert first[0][0].shape == (size, 24, 24, 3)
    for ours, theirs in zip(first, again, strict=True):
        assert np.array_equal(ours[0], theirs[0])
        assert np.array_equal(ours[1], theirs[1])
    assert not np.array_equal(first[0][0], second[0][0])
    shown = np.concatenate([targets for _, targets in first])
    assert np.all(np.bincount(shown) <= np.bincount(memory.targets))


@pytest.mark.parametrize("name", fitting.RECIPES)
def test_a_recipe_ends_at_its_largest_side_and_never_above_what_is_served(name):
    from ml.scratch import NETWORKS

    sides = fitting.RECIPES[name].sides
    assert sides == tuple(sorted(sides))
    assert sides[-1] <= NETWORKS[name].side
