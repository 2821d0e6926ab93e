"""Fit a whole network by gradient descent: augmented photos, one-cycle rate, best epoch kept."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ml.batches import Batch, Memory, augmented_batches, remember, shrink, steps_per_epoch
from ml.calibration import fit_temperature, log_loss
from ml.examples import Example, Split, in_split, labels_of
from ml.heads import TrainingError
from ml.photos import fit
from ml.progress import progress
from ml.scratch import Network, build_to_train, fold
from ml.sources import line

# Photos are held this much larger than they are trained at: a crop has pixels to spare.
_SPARE = 1.3
# Steps between two updates of the averaged weights: copying them at each would cost time.
_AVERAGE_EVERY = 4
# Compute capability from which NVIDIA's cards multiply bfloat16 in hardware (Ampere, 2020), and
# the flags of processors that do. On two cores of an EPYC a step of `pawnet` took 186 ms in place
# of 263, at 96 pixels.
_BFLOAT16_FROM, _BFLOAT16_FLAGS = (8, 0), {"avx512_bf16", "amx_bf16"}

Say = Callable[[str], None]
Row = dict[str, float]
Watch = Callable[[keras.Model, Row], None]


@dataclass(frozen=True)
class FitConfig:
    """What, beside data and network, decides what is learnt.

    Attributes:
        sides: Side in pixels of the photos of each epoch, as many as there are epochs. Small ones
            first are cheap, and teach what large ones then only refine.
        batch_size: Photos a step.
        peak_rate: Learning rate at its highest.
        warm_up: Share of the steps in which the rate climbs there; in the rest it falls to 0.
        momentum: Of Nesterov's method.
        weight_decay: What a step takes off each kernel, as a share, at a learning rate of 1.
        label_smoothing: Probability that is spread over all labels, right or wrong.
        averaged_over: Steps that the averaged weights look back on; they are what is kept.
        patience: Epochs at the last side without a better one before the fit stops.
        policy: `"float32"`, `"mixed_bfloat16"`, or `"auto"` for what the device is better at.
        seed: Of the first weights, of the order of the photos and of their augmentation.
    """

    sides: tuple[int, ...]
    batch_size: int = 64
    peak_rate: float = 0.1
    warm_up: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-3
    label_smoothing: float = 0.1
    averaged_over: int = 200
    patience: int = 6
    policy: str = "auto"
    seed: int = 0


# How each network of `ml.scratch` is trained unless somebody knows better.
RECIPES = {
    "small-xception": FitConfig(sides=(180,) * 25, peak_rate=0.05),
    "pawnet": FitConfig(sides=(64,) * 16 + (96,) * 38 + (112,) * 8, peak_rate=0.05),
}


@dataclass(frozen=True)
class Device:
    """Where a network is trained.

    Attributes:
        name: `"CPU"`, or the graphics card's own name.
        policy: Keras' policy for the arithmetic that it is best at.
    """

    name: str
    policy: str


@dataclass(frozen=True)
class Fitted:
    """What the fit gives.

    Attributes:
        model: The network of the best epoch as it serves; see `ml.scratch.fold`.
        labels: In the order of its outputs.
        history: A row for each epoch: `epoch` (from 1), `side`, `learning_rate` at its end, `loss`
            (the label smoothing in it) and `accuracy` on augmented photos of the train split,
            `calibration_loss` (log loss in nats at the best temperature), `calibration_accuracy`,
            `seconds`, and `cpu_seconds` of all cores together.
        best_epoch: Of the epochs at the last side, the one with the lowest calibration loss.
        seconds: All of it, decoding included.
        cpu_seconds: Likewise, of all cores together.
        device: Where it was trained, and by which policy.
    """

    model: keras.Model
    labels: tuple[str, ...]
    history: tuple[Row, ...]
    best_epoch: int
    seconds: float
    cpu_seconds: float
    device: Device


def fit_network(
    examples: Sequence[Example],
    network: Network,
    config: FitConfig,
    *,
    say: Say = lambda _: None,
    watch: Watch = lambda _model, _row: None,
) -> Fitted:
    """Train a network from random weights on the train split.

    The calibration split chooses the best epoch; the holdout is never looked at.

    Args:
        examples: Photos of all splits, with any number of labels.
        network: From `ml.scratch`.
        config: See `FitConfig`.
        say: Told, in a sentence, what has been found and done.
        watch: Given, after each epoch, the averaged network as `ml.scratch.build_to_train` builds
            it, and the epoch's row of the history.

    Raises:
        TrainingError: if a split has no photo that can be decoded, or the loss is not a number.
    """
    clock = _Clock()
    device, labels = find_device(config.policy), labels_of(examples)
    say(f"Training {network.name} from scratch on {device.name} in {device.policy}.")
    held = math.ceil(max(config.sides) * _SPARE)
    train = _remember(examples, "train", lambda pixels: shrink(pixels, held), say)
    calibration = _remember(examples, "calibration", lambda pixels: fit(pixels, network.side), say)
    keras.utils.set_random_seed(config.seed)
    learner = _Learner(network, len(labels), config, device.policy)
    best, history = _best_of(_epochs(learner, train, calibration), config, say, watch)
    learner.averaged.set_weights(best.weights)
    return Fitted(
        fold(learner.averaged, network), labels, history, best.epoch, *clock.read(), device
    )


def find_device(policy: str = "auto") -> Device:
    """The first graphics card that TensorFlow can use, or else the CPU.

    Args:
        policy: `"auto"` for the one that the device is better at.
    """
    import tensorflow as tf

    cards = tf.config.list_physical_devices("GPU")
    details = tf.config.experimental.get_device_details(cards[0]) if cards else {}
    name = details.get("device_name", "GPU") if cards else "CPU"
    details = details or {"flags": _processor_flags()}
    return Device(name, best_policy(details) if policy == "auto" else policy)


def best_policy(details: dict[str, Any]) -> str:
    """Half precision where a device has it in hardware, single precision elsewhere.

    Args:
        details: `compute_capability` of a card, as TensorFlow tells it, or `flags` of a processor.
    """
    fast = details.get("compute_capability", ()) >= _BFLOAT16_FROM
    fast = fast or not _BFLOAT16_FLAGS.isdisjoint(details.get("flags", ()))
    return "mixed_bfloat16" if fast else "float32"


def _processor_flags() -> set[str]:
    """What the processor can do, as Linux tells it; other systems do not."""
    try:
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return set()
    return set(about.split())


def one_cycle(progressed: float, config: FitConfig) -> float:
    """The learning rate: a straight line up to its peak, and one down to 0.

    Args:
        progressed: Share of the steps that are done, from 0 to 1.
        config: `peak_rate` and `warm_up` of it.

    Source:
        L. Smith, N. Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
        Learning Rates", 2017.
    """
    if progressed < config.warm_up:
        return config.peak_rate * progressed / config.warm_up
    return config.peak_rate * (1 - progressed) / (1 - config.warm_up)


@dataclass
class _Clock:
    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def read(self) -> tuple[float, float]:
        """Seconds since it was made: on the wall, and of all cores together."""
        return (
            round(time.perf_counter() - self.wall, 1),
            round(time.process_time() - self.cpu, 1),
        )


@dataclass(frozen=True)
class _Best:
    epoch: int
    loss: float
    weights: list[np.ndarray]


class _Learner:
    """A network that learns, and one that holds the average of its weights over the last steps.

    Source:
        B. Polyak, A. Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM
        Journal on Control and Optimization 30, 1992; here the average forgets exponentially.
    """

    def __init__(self, network: Network, num_labels: int, config: FitConfig, policy: str) -> None:
        self.config, self.side = config, network.side
        self.num_labels = num_labels
        self._network = build_to_train(network, num_labels, policy)
        self.averaged = build_to_train(network, num_labels, policy)
        self._average = self._network.get_weights()
        self._num_averaged = 0
        self._optimizer = keras.optimizers.SGD(
            0.0, momentum=config.momentum, nesterov=True, weight_decay=config.weight_decay
        )
        self._optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self._model = keras.Model(self._network.input, self._network.output["logits"])
        self._model.compile(
            self._optimizer,
            keras.losses.CategoricalCrossentropy(
                from_logits=True, label_smoothing=config.label_smoothing
            ),
            metrics=["accuracy"],
        )

    def learn(self, batches: Iterator[Batch], epoch: int, steps: int) -> tuple[float, float]:
        """Take the steps of one epoch; give their mean loss and accuracy."""
        scores = []  # train_on_batch tells of its own batch alone
        for step, (photos, targets) in enumerate(batches, (epoch - 1) * steps + 1):
            self._optimizer.learning_rate = self.rate(step, steps)
            wanted = np.eye(self.num_labels, dtype=np.float32)[targets]
            scores.append(self._model.train_on_batch(photos, wanted))
            if not math.isfinite(scores[-1][0]):
                raise TrainingError(
                    f"The loss became {scores[-1][0]} at step {step}. A lower peak_rate than "
                    f"{self.config.peak_rate} may help."
                )
            if step % _AVERAGE_EVERY == 0:
                self._update_average()
        self.averaged.set_weights(self._average)
        loss, accuracy = np.mean(scores, axis=0)
        return float(loss), float(accuracy)

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step, counted from 1, of all epochs."""
        return one_cycle(step / (steps * len(self.config.sides) + 1), self.config)

    def logits(self, photos: Sequence[np.ndarray]) -> np.ndarray:
        """What the averaged network says of photos of one side, shape `(n, labels)`."""
        size = self.config.batch_size
        batches = [np.stack(photos[i : i + size]) for i in range(0, len(photos), size)]
        return np.concatenate([self.averaged.predict_on_batch(b)["logits"] for b in batches])

    def _update_average(self) -> None:
        self._num_averaged += 1
        # The first steps start from chance: what is averaged over grows with what there is.
        kept = min(
            1 - _AVERAGE_EVERY / max(self.config.averaged_over, _AVERAGE_EVERY),
            self._num_averaged / (self._num_averaged + 10),
        )
        for mean, now in zip(self._average, self._network.get_weights(), strict=True):
            mean += (1 - kept) * (now - mean)


def _remember(
    examples: Sequence[Example], split: Split, look: Callable[[np.ndarray], np.ndarray], say: Say
) -> Memory:
    memory = remember(in_split(examples, split), labels_of(examples), look)
    if memory.broken:
        say(line([example.path for example in memory.broken], "cannot be decoded"))
    if not memory.photos:
        raise TrainingError(f"The {split} split has no photo that can be decoded.")
    return memory


def _epochs(
    learner: _Learner, train: Memory, calibration: Memory
) -> Iterator[tuple[keras.Model, Row]]:
    """Learn, epoch by epoch; after each, the averaged network and its row of the history."""
    config = learner.config
    size = min(config.batch_size, len(train.photos))
    steps = steps_per_epoch(train, size)
    for epoch, side in enumerate(config.sides, 1):
        clock = _Clock()
        batches = augmented_batches(train, side, size, config.seed, epoch)
        shown = progress(batches, steps, f"Epoch {epoch} of {len(config.sides)}", " steps")
        loss, accuracy = learner.learn(shown, epoch, steps)
        row = {
            "epoch": epoch,
            "side": side,
            "learning_rate": learner.rate(epoch * steps, steps),
            "loss": loss,
            "accuracy": accuracy,
            **_judge(learner, calibration, side),
        }
        row["seconds"], row["cpu_seconds"] = clock.read()
        yield learner.averaged, row


def _judge(learner: _Learner, calibration: Memory, side: int) -> Row:
    """Scores on the calibration split.

    At the last side of the training, photos are those that the network will serve; at smaller
    ones, they are as much smaller.
    """
    shown = round(learner.side * side / learner.config.sides[-1])
    logits = learner.logits([fit(photo, shown) for photo in calibration.photos])
    targets = calibration.targets
    return {
        "calibration_loss": log_loss(logits, targets, fit_temperature(logits, targets)),
        "calibration_accuracy": float((logits.argmax(axis=1) == targets).mean()),
    }


def _best_of(
    epochs: Iterator[tuple[keras.Model, Row]], config: FitConfig, say: Say, watch: Watch
) -> tuple[_Best, tuple[Row, ...]]:
    """Go through the epochs until they get no better; keep the best one of the last side."""
    history: list[Row] = []
    best = _Best(0, math.inf, [])
    for model, row in epochs:
        history.append(row)
        say(_sentence(row, len(config.sides)))
        watch(model, row)
        if row["side"] != config.sides[-1]:
            continue
        if row["calibration_loss"] < best.loss:
            best = _Best(int(row["epoch"]), row["calibration_loss"], model.get_weights())
        elif row["epoch"] - best.epoch >= config.patience:
            say(f"No better epoch after {best.epoch}: stopped.")
            break
    if not best.weights:
        raise TrainingError("No epoch gave a finite loss on the calibration split.")
    return best, tuple(history)


def _sentence(row: Row, num_epochs: int) -> str:
    return (
        f"Epoch {row['epoch']} of {num_epochs} at {row['side']} pixels: loss {row['loss']:.4f}, "
        f"calibration {row['calibration_accuracy']:.2%} right, log loss "
        f"{row['calibration_loss']:.4f}, {row['seconds']:.0f} s"
    )
