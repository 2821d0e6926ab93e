"""Photos decoded once and held in memory, and augmented batches of them, made ready ahead."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ml.augmentation import augment
from ml.examples import Example
from ml.features import each_photo, num_cores
from ml.photos import PhotoError

# Batches made ready ahead of the one that is learnt from.
_AHEAD = 6

Batch = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Memory:
    """Photos and their labels.

    Attributes:
        photos: `n` photos, `uint8`, shape `(h, w, 3)` each, of any sizes.
        targets: Index of each photo's label, shape `(n,)`.
        broken: Photos that could not be decoded.
    """

    photos: tuple[np.ndarray, ...]
    targets: np.ndarray
    broken: tuple[Example, ...] = ()


def remember(
    examples: Sequence[Example],
    labels: Sequence[str],
    look: Callable[[np.ndarray], np.ndarray],
) -> Memory:
    """Decode photos, on all cores.

    Args:
        examples: The photos.
        labels: In the order of the network's outputs.
        look: From a photo's pixels to what is kept of them.
    """
    photos, targets, broken = [], [], []
    answers = each_photo(examples, lambda photo, _: look(photo.pixels), "Decoding photos")
    for example, kept in answers:
        if isinstance(kept, PhotoError):
            broken.append(example)
        else:
            photos.append(kept)
            targets.append(labels.index(example.label))
    return Memory(tuple(photos), np.array(targets, np.int64), tuple(broken))


def shrink(pixels: np.ndarray, side: int) -> np.ndarray:
    """A photo whose short side is `side` pixels at most, its shape kept."""
    height, width = pixels.shape[:2]
    factor = side / min(height, width)
    if factor >= 1:
        return pixels
    size = max(1, round(width * factor)), max(1, round(height * factor))
    image = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return np.asarray(image)


def steps_per_epoch(memory: Memory, batch_size: int) -> int:
    """Whole batches in one pass over the photos, and one at least."""
    return max(1, len(memory.photos) // batch_size)


def augmented_batches(
    memory: Memory, side: int, batch_size: int, seed: int, epoch: int
) -> Iterator[Batch]:
    """One pass over the photos, in random order, each augmented.

    The last photos that fill no batch are left out: other ones each time.

    Args:
        memory: The photos.
        side: Side in pixels of what comes out.
        batch_size: Photos in a batch.
        seed: With the epoch and the photo's place, decides all chance, whatever thread comes first.
        epoch: From 1.

    Yields:
        Photos, `uint8`, shape `(batch, side, side, 3)`, and targets, shape `(batch,)`.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(memory.photos))

    def make(step: int) -> Batch:
        chosen = order[step * batch_size : (step + 1) * batch_size]
        views = [
            augment(memory.photos[i], side, np.random.default_rng([seed, epoch, i])) for i in chosen
        ]
        return np.stack(views), memory.targets[chosen]

    return _made_ahead(make, steps_per_epoch(memory, batch_size))


def _made_ahead(make: Callable[[int], Batch], number: int) -> Iterator[Batch]:
    pool = ThreadPoolExecutor(num_cores())
    waiting: deque[Future[Batch]] = deque()
    try:
        for step in range(number):
            waiting.append(pool.submit(make, step))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C need not wait for the batches in the queue
