"""What a frozen backbone sees in photos, computed once per photo and kept."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime

from ml.examples import Example
from ml.photos import PREPROCESSING, Photo, PhotoError, decode_photo
from ml.progress import progress
from ml.views import view

T = TypeVar("T")

# Photos between two commits to the cache: a cut-off run loses at most some seconds of work.
_COMMIT_EVERY = 256


@dataclass(frozen=True)
class Backbone:
    """A frozen network that turns photos into features.

    Attributes:
        weights_sha256: Of its weights: features are cached by it.
        side: Side in pixels of the photos it takes in.
        to_onnx: Gives it as ONNX; called only when some photo's features are missing.
    """

    weights_sha256: str
    side: int
    to_onnx: Callable[[], bytes]

    def key(self, view_name: str) -> str:
        """What, beside the photo, decides its features."""
        return f"{self.weights_sha256}:{PREPROCESSING}:{view_name}"


@dataclass(frozen=True)
class Features:
    """Features of the photos that could be decoded.

    Attributes:
        examples: These photos, `n` of them, in the order they were given.
        vectors: `float32`, shape `(n, views, d)`.
        sizes: Width and height of each photo as a person sees it, shape `(n, 2)`.
        broken: The other photos, and why: a `PhotoError`'s message.
    """

    examples: tuple[Example, ...]
    vectors: np.ndarray
    sizes: np.ndarray
    broken: tuple[tuple[Example, str], ...]


class FeatureCache:
    """Features on disk, in one SQLite file: safe against a cut in the middle, and shared.

    Args:
        folder: Where the file lies; made if need be.

    Raises:
        OSError: from here and from each method, if the disk is full or the file is no cache.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "features.sqlite3"
        with self._connected() as connection, connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS features (key TEXT, photo TEXT, width INTEGER,"
                " height INTEGER, vector BLOB, PRIMARY KEY (photo, key))"
            )

    def get(self, photos: Iterable[str], key: str) -> dict[str, tuple[np.ndarray, int, int]]:
        """Vector, width and height of each photo that is there, by SHA-256."""
        wanted = set(photos)
        query = "SELECT photo, vector, width, height FROM features WHERE key = ?"
        with self._connected() as connection:
            return {
                photo: (np.frombuffer(vector, "<f4"), width, height)
                for photo, vector, width, height in connection.execute(query, (key,))
                if photo in wanted
            }

    def known(self, key: str) -> set[str]:
        """SHA-256 of each photo whose features are there."""
        with self._connected() as connection:
            rows = connection.execute("SELECT photo FROM features WHERE key = ?", (key,))
            return {photo for (photo,) in rows}

    def put(self, rows: Iterable[tuple[str, str, int, int, np.ndarray]]) -> None:
        """Keep rows of key, photo, width, height and vector, `_COMMIT_EVERY` at a time."""
        with self._connected() as connection:
            waiting = []
            for key, photo, width, height, vector in rows:
                waiting.append((key, photo, width, height, vector.astype("<f4").tobytes()))
                if len(waiting) == _COMMIT_EVERY:
                    _insert(connection, waiting)
                    waiting = []
            _insert(connection, waiting)

    def forget(self, photo: str) -> None:
        """Erase all features of a photo."""
        with self._connected() as connection, connection:
            connection.execute("DELETE FROM features WHERE photo = ?", (photo,))

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=30)) as connection:
                connection.execute("PRAGMA secure_delete = ON")  # forget() means it
                yield connection
        except sqlite3.Error as error:
            raise OSError(f"The feature cache {self._path} cannot be used: {error}.") from error


def features_of(
    examples: Sequence[Example],
    backbone: Backbone,
    views: Sequence[str],
    cache: FeatureCache,
    step: Callable[[float], None] = lambda _: None,
) -> Features:
    """Features of photos: from the cache where they are there, else computed and kept.

    Args:
        examples: The photos.
        backbone: The frozen network.
        views: Names from `ml.views.VIEWS`.
        cache: Where features are kept between runs.
        step: Told the share that is done, from 0 to 1, after each photo that was looked at. It may
            raise to stop.

    Returns:
        `Features`; a photo that cannot be decoded is listed in it and stops nothing.
    """
    broken = _compute_missing(examples, backbone, views, cache, step)
    kept = tuple(example for example in examples if example not in broken)
    photos = [example.sha256 for example in kept]
    if not kept:
        raise ValueError(
            f"None of {len(examples)} photos can be decoded: {next(iter(broken.values()), '')}"
        )
    found = [cache.get(photos, backbone.key(name)) for name in views]
    vectors = np.stack([[rows[photo][0] for rows in found] for photo in photos])
    sizes = np.array([found[0][photo][1:] for photo in photos])
    return Features(kept, vectors, sizes, tuple(broken.items()))


def each_photo(
    examples: Sequence[Example], work: Callable[[Photo, Example], T], what: str
) -> Iterator[tuple[Example, T | PhotoError]]:
    """Decode photos and do some work on each, on all cores, in order.

    Yields:
        Each example with what `work` gave for its photo, or why it cannot be decoded.
    """

    def one(example: Example) -> T | PhotoError:
        try:
            return work(decode_photo(example.path.read_bytes()), example)
        except PhotoError as error:
            return error
        except OSError as error:
            return PhotoError(f"The file cannot be read: {error.strerror}.", code="broken_image")

    pool = ThreadPoolExecutor(num_cores())
    try:
        answers = zip(examples, pool.map(one, examples), strict=True)
        yield from progress(answers, len(examples), what)
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C need not wait for the photos in the queue


def num_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def session_from(network: bytes) -> onnxruntime.InferenceSession:
    """ONNX Runtime, one thread a run: photos, not matrix rows, are what is done in parallel."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


def _compute_missing(
    examples: Sequence[Example],
    backbone: Backbone,
    views: Sequence[str],
    cache: FeatureCache,
    step: Callable[[float], None],
) -> dict[Example, str]:
    """Put what is missing into the cache; return the photos that cannot be decoded, and why."""
    missing: dict[str, list[str]] = {example.sha256: [] for example in examples}
    for name in views:
        for photo in missing.keys() - cache.known(backbone.key(name)):
            missing[photo].append(name)
    todo = [example for example in examples if missing[example.sha256]]
    if not todo:
        return {}
    session = session_from(backbone.to_onnx())

    # One photo a run: its features then depend on no neighbour, to the last bit, and on a CPU
    # a larger batch is not faster.
    def look(photo: Photo, example: Example) -> list[tuple[str, str, int, int, np.ndarray]]:
        rows = []
        for name in missing[example.sha256]:
            batch = view(photo.pixels, name, backbone.side)[np.newaxis]
            vector = session.run(["features"], {"photos": batch})[0][0]
            key = backbone.key(name)
            rows.append((key, example.sha256, photo.width, photo.height, vector))
        return rows

    broken: dict[Example, str] = {}
    looked = _counted(each_photo(todo, look, "Looking at photos"), len(todo), step)
    cache.put(_good_rows(looked, broken))
    return broken


def _counted(items: Iterable[T], total: int, step: Callable[[float], None]) -> Iterator[T]:
    for number, item in enumerate(items, 1):
        yield item
        step(number / total)


def _good_rows(
    answers: Iterable[tuple[Example, list[T] | PhotoError]], broken: dict[Example, str]
) -> Iterator[T]:
    for example, rows in answers:
        if isinstance(rows, PhotoError):
            broken[example] = str(rows)
        else:
            yield from rows


def _insert(connection: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    with connection:
        connection.executemany("INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?, ?)", rows)
