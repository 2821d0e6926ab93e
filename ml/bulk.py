"""Ask a version about any number of photos: a row each, exactly once, however often it stops.

`classify` knows neither where photos come from (`ml.bulk_paths`), nor where rows go
(`ml.bulk_files`, `ml.bulk_parquet`), nor who asks: threads of this machine, below, or the workers
of a cluster (`ml.bulk_cluster`).
"""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path

from ml.bulk_files import Grown, Sheet, SheetError
from ml.bulk_forms import CSV, JSON_LINES
from ml.bulk_paths import Photos, Seen
from ml.features import num_cores
from ml.inference import Engine
from ml.registry import Card
from ml.rows import Limits, Row, answer_file, written

# Photos that are in hand at once, for each thread: one that takes seconds keeps nobody waiting.
# Only their paths, or their rows, are in memory.
_IN_HAND = 64

ENDINGS = (".csv", ".jsonl", ".parquet")


class BulkError(Exception):
    """Photos cannot be classified as it was asked for; the message says why."""


# What this module may raise that its caller can tell a person.
PROBLEMS = (BulkError, SheetError, OSError)


# Whoever asks a version about photos: gives each path, in order, with its row but for the path.
Asker = Callable[[Iterator[str]], Generator[tuple[str, Row], None, None]]


@dataclass
class Tally:
    """What has come of how many photos.

    Attributes:
        before: Rows that were there when it began.
        answers: Photos by answer, with those that were there.
        refusals: Photos by code, likewise.
    """

    before: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    @property
    def photos(self) -> int:
        return self.answers.total() + self.refusals.total()

    def count(self, row: Row) -> None:
        if row.get("code"):
            self.refusals[row["code"]] += 1
        else:
            self.answers[row["answer"]] += 1


def classify(
    photos: Photos,
    sheet: Sheet,
    ask: Asker,
    *,
    version: str,
    seen: Seen,
    tally: Tally,
    watch: Callable[[], object] = lambda: None,
) -> None:
    """Add a row to a sheet for each photo that has none there yet.

    Args:
        photos: Gone through as rows are wanted.
        sheet: Where rows go.
        ask: Who asks about them.
        version: Whose rows they are.
        seen: What `photos` passes by.
        tally: Counts all rows of the sheet.
        watch: Called after each row.

    Raises:
        SheetError: if the sheet holds something else, or another version's rows.
        BulkError: if there is no asking on. What was written stays, and the next call goes on.
        OSError: if the disk refuses; likewise.
    """

    def take(row: Row) -> bool:
        if row.get("version") not in (None, version):
            raise SheetError(
                f"There are rows of version {row['version']}, and this is {version}. Name another "
                f"file, go on by --model {row['version']}, or begin again by --overwrite."
            )
        is_new = seen.add(row["path"])
        if is_new:
            tally.count(row)
            tally.before += 1
        return is_new

    sheet.begin(take)
    with closing(ask(iter(photos))) as answered:
        for path, row in answered:
            sheet.write({"path": written(path), **row})
            tally.count(row)
            watch()
    sheet.finish()


def open_sheet(path: Path, labels: Sequence[str], *, overwrite: bool = False) -> Sheet:
    """The sheet that the ending of a file's name asks for, one of `ENDINGS`.

    Args:
        path: Its file.
        labels: The version's.
        overwrite: Whether what is there is thrown away.

    Raises:
        BulkError: if Parquet is asked for and pyarrow is not installed.
        SheetError: if another process is writing to it.
        OSError: if it cannot be written to.
    """
    ending = path.suffix.lower()
    if ending == ".parquet":
        try:
            # Here and not above: not everybody has installed it.
            from ml.bulk_parquet import Parquet
        except ImportError as error:
            raise BulkError(
                f"Parquet needs pyarrow: pip install -r requirements/scale.txt ({error})"
            ) from error
        return Parquet(path, labels, overwrite=overwrite)
    return Grown(path, {".csv": CSV, ".jsonl": JSON_LINES}[ending], overwrite=overwrite)


def on_this_machine(engine: Engine, limits: Limits) -> Asker:
    """Ask on all cores of this machine: a photo a thread, as fast as a loop around the engine."""

    def ask(paths: Iterator[str]) -> Generator[tuple[str, Row], None, None]:
        threads = num_cores()
        pool = ThreadPoolExecutor(threads, "classify")
        in_hand: deque[tuple[str, Future[Row]]] = deque()
        try:
            for path in paths:
                in_hand.append((path, pool.submit(answer_file, engine, path, limits)))
                while in_hand and (in_hand[0][1].done() or len(in_hand) == _IN_HAND * threads):
                    yield _first(in_hand)
            while in_hand:
                yield _first(in_hand)
        finally:
            pool.shutdown(cancel_futures=True)  # Ctrl-C waits for no photo but those in the middle

    return ask


def on_cluster(
    address: str,
    folder: Path,
    card: Card,
    limits: Limits,
    places: Sequence[Path],
    say: Callable[[str], object],
) -> AbstractContextManager[Asker]:
    """Ask on a Dask cluster: see `ml.bulk_cluster.cluster`.

    Raises:
        BulkError: if Dask is not installed.
    """
    try:
        # Here and not above: not everybody has installed it, and importing it takes a second.
        from ml.bulk_cluster import cluster
    except ImportError as error:
        raise BulkError(
            f"A cluster needs Dask: pip install -r requirements/scale.txt ({error})"
        ) from error
    return cluster(address, folder, card, limits, places, say)


def _first(in_hand: deque[tuple[str, Future[Row]]]) -> tuple[str, Row]:
    path, answered = in_hand.popleft()
    return path, answered.result()
