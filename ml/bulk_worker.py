"""What a Dask worker does of a bulk run: have the version ready, and ask it about photos."""

import os
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from distributed import Worker, WorkerPlugin, get_worker

from ml.bulk import BulkError
from ml.inference import OnnxEngine
from ml.registry import VersionError
from ml.rows import Limits, Row, answer_file


class Classifier(WorkerPlugin):
    """A version, sent to each worker once, also to those that join later; an engine a worker.

    Args:
        key: What tasks know it by.
        version: Its name.
        files: Name to content of each file of the version.
        limits: What a photo may have at most.
        places: Files and folders that the worker must see: those that photos are looked for in.
    """

    def __init__(
        self,
        key: str,
        version: str,
        files: Mapping[str, bytes],
        limits: Limits,
        places: Sequence[str],
    ) -> None:
        self.name = key
        self.limits = limits
        self._version = version
        self._files = files
        self._places = places
        self._engine: OnnxEngine | None = None

    def setup(self, worker: Worker) -> None:
        # Not before: a lock cannot be sent.
        self._loading = threading.Lock()

    def engine(self) -> OnnxEngine:
        """The version's engine, loaded the first time.

        Raises:
            BulkError: if the worker cannot do its part; the message says why.
        """
        with self._loading:
            if self._engine is None:
                self._check_places()
                self._engine = self._load()
                self._files = {}  # read once, and as large as the engine
            return self._engine

    def _check_places(self) -> None:
        for place in self._places:
            if not os.path.exists(place):
                raise BulkError(
                    f"{place} is not there for it: photos must lie where all workers see them, "
                    "under the same path as here."
                )

    def _load(self) -> OnnxEngine:
        with tempfile.TemporaryDirectory(prefix="catsdogs-version-") as folder:
            place = Path(folder, self._version)
            place.mkdir()
            for name, content in self._files.items():
                (place / name).write_bytes(content)
            try:
                engine = OnnxEngine(place)  # which checks each file's SHA-256
                engine.warm_up()
            except (VersionError, FloatingPointError) as error:
                raise BulkError(str(error)) from error
        return engine


def make_ready(key: str, dask_worker: Worker) -> int:
    """Load the version on a worker before its first photo; return how many photos it asks at once.

    Raises:
        BulkError: if the worker cannot do its part.
    """
    _classifier(dask_worker, key).engine()
    return int(dask_worker.state.nthreads)


def answer_files(key: str, files: Sequence[str]) -> list[Row]:
    """A task: the row of each file, but for its path.

    Raises:
        BulkError: if the worker cannot do its part.
    """
    worker = get_worker()
    try:
        classifier = _classifier(worker, key)
        engine = classifier.engine()
    except BulkError as error:  # of a worker that came later
        raise BulkError(f"Worker {worker.address}: {error}") from error
    return [answer_file(engine, file, classifier.limits) for file in files]


def _classifier(worker: Worker, key: str) -> Classifier:
    found = worker.plugins.get(key)
    if not isinstance(found, Classifier):
        raise BulkError("The version did not reach it.")
    return found
