"""Ask a version about photos on a Dask cluster: who dies is replaced, and no row is lost or twice.

Photos are read by the workers, so they must lie where all of these see them under the same path.
The version's files are sent to each worker once and checked there; an engine a worker answers.
Chunks of paths go out, a bounded number at a time, and their rows are written in order. The chunk
of a worker that dies is given to another one. After it has taken several with it, its photos are
asked about one by one while nothing else runs, and the one that kills is told apart.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from os.path import abspath
from pathlib import Path

import distributed
from distributed import Client, Future, KilledWorker, Scheduler

from ml.bulk import Asker, BulkError
from ml.bulk_worker import Classifier, answer_files, make_ready
from ml.registry import CARD, Card
from ml.rows import CRASHED, Limits, Row, refused

# Photos a task: half a second of work, some milliseconds of Dask.
_CHUNK = 64
# Tasks in hand for each photo that the cluster asks about at once, so that a slow one keeps nobody
# waiting; and after how many tasks the cluster is counted anew.
_IN_HAND = 4
_COUNT_EVERY = 64
# Seconds until a scheduler, or a first worker, is given up for absent.
_PATIENCE = 10
# Seconds without a result after which it is asked whether any worker is left.
_DOUBT = 30

# A version's name among a scheduler's plugins is this and the client's id.
_PREFIX = "catsdogs-"

_CRASHED_WORDS = "Several workers died when they read this photo, one after another."


@contextmanager
def cluster(
    address: str,
    folder: Path,
    card: Card,
    limits: Limits,
    places: Sequence[Path],
    say: Callable[[str], object],
) -> Iterator[Asker]:
    """A cluster that is ready to answer.

    Args:
        address: Its scheduler's, such as `tcp://host:8786`.
        folder: The version's, verified.
        card: Its card.
        limits: What a photo may have at most.
        places: Files and folders that all workers must see.
        say: Told what a person should know.

    Raises:
        BulkError: if the cluster cannot do it: what is wrong with which worker.
    """
    files = {name: (folder / name).read_bytes() for name in (CARD, *card.files)}
    seen_by_all = [abspath(place) for place in places]
    with _connected(address) as client:
        key = _PREFIX + client.id
        with _in_our_words():
            _check_code(client)
            _tidy_up(client)
            client.register_plugin(Classifier(key, card.version, files, limits, seen_by_all))
        try:
            with _in_our_words():
                _make_ready(client, key)
            yield _Crowd(client, key, say).ask
        finally:
            with suppress(Exception):  # the cluster may be gone, and takes it along
                client.unregister_worker_plugin(key)


class _Crowd:
    """The workers of a cluster, whoever they are by now."""

    def __init__(self, client: Client, key: str, say: Callable[[str], object]) -> None:
        self._client = client
        self._key = key
        self._say = say

    def ask(self, paths: Iterator[str]) -> Generator[tuple[str, Row], None, None]:
        in_hand: deque[tuple[list[str], Future]] = deque()
        most = 0
        try:
            for number, chunk in enumerate(_in_chunks(paths)):
                if number % _COUNT_EVERY == 0:
                    most = _IN_HAND * max(1, self._num_threads())
                in_hand.append((chunk, self._submit(chunk)))
                if len(in_hand) >= most:
                    yield from self._first(in_hand)
            while in_hand:
                yield from self._first(in_hand)
        finally:
            with suppress(Exception):  # the cluster may be gone
                self._client.cancel([future for _, future in in_hand])

    def _first(
        self, in_hand: deque[tuple[list[str], Future]]
    ) -> Generator[tuple[str, Row], None, None]:
        paths, future = in_hand.popleft()
        try:
            rows = self._result(future)
        except KilledWorker:
            # Whatever ran beside it is under the same suspicion, so nothing may from now on.
            self._wait([each for _, each in in_hand])
            rows = [self._alone(path) for path in paths]
        yield from zip(paths, rows, strict=True)

    def _alone(self, path: str) -> Row:
        try:
            return self._result(self._submit([path]))[0]
        except KilledWorker:
            return refused(CRASHED, _CRASHED_WORDS)

    def _submit(self, paths: Sequence[str]) -> Future:
        with _in_our_words():
            # Not pure: a photo may be another one tomorrow.
            return self._client.submit(answer_files, self._key, [*map(abspath, paths)], pure=False)

    def _result(self, future: Future) -> list[Row]:
        self._wait([future])
        with _in_our_words():
            rows: list[Row] = future.result()
        return rows

    def _wait(self, futures: Sequence[Future]) -> None:
        while futures:
            try:
                with self._client.as_current():
                    distributed.wait(futures, timeout=_DOUBT)
                return
            except TimeoutError:
                if not self._num_threads():
                    self._say("The cluster has no worker left. Waiting for one; Ctrl-C stops.")
            except distributed.CancelledError:
                return  # whoever asks for the result is told

    def _num_threads(self) -> int:
        """How many photos the cluster asks about at once."""
        with _in_our_words():
            return sum(self._client.nthreads().values())


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except (BulkError, KilledWorker):
        raise
    except Exception as error:  # Dask lets out what it likes; whatever it is, the run ends there.
        raise BulkError(f"The cluster failed: {type(error).__name__}: {error}") from error


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False, name="catsdogs")
    except (OSError, ValueError) as error:
        raise BulkError(f"No Dask scheduler answers at {address}: {error}") from error
    try:
        _wait_for_a_worker(client, address)
        yield client
    finally:
        client.close()


def _wait_for_a_worker(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        raise BulkError(f"The cluster at {address} has no worker.") from error


def _check_code(client: Client) -> None:
    """Refuse a cluster where this project is not installed, before Dask says so in its own way."""

    # A function within a function is sent as it is, not by its name: it runs where we are missing.
    def missing() -> str:
        try:
            import ml.bulk_worker  # noqa: F401
        except Exception as error:  # noqa: BLE001  whatever keeps it from being imported
            return f"{type(error).__name__}: {error}"
        return ""

    found = {"the scheduler": client.run_on_scheduler(missing), **client.run(missing)}
    for who, problem in found.items():
        if problem:
            raise BulkError(
                f"This project is not importable for {who} ({problem}). Start scheduler and "
                "workers in an environment with requirements/serve.txt and requirements/scale.txt, "
                "with this project's folder in PYTHONPATH."
            )


def _tidy_up(client: Client) -> None:
    """Take the versions of killed runs from the workers, which would keep them for ever."""
    for name in client.run_on_scheduler(left_behind):
        client.unregister_worker_plugin(name)


def left_behind(dask_scheduler: Scheduler) -> list[str]:
    """Runs on the scheduler: names of the versions of clients that are gone."""
    ours = [name for name in dask_scheduler.worker_plugins if name.startswith(_PREFIX)]
    return [name for name in ours if name.removeprefix(_PREFIX) not in dask_scheduler.clients]


def _make_ready(client: Client, key: str) -> None:
    for address, found in client.run(make_ready, key, on_error="return").items():
        if isinstance(found, Exception):
            raise BulkError(f"Worker {address}: {found}") from found


def _in_chunks(paths: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(paths, _CHUNK)):
        yield chunk
