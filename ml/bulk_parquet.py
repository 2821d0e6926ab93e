"""Rows as Parquet, which cannot be appended to: they wait beside it until they are all there."""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from ml.bulk_files import INSTEAD, Grown, SheetError, sync_folder
from ml.bulk_forms import JSON_LINES
from ml.rows import Row

T = TypeVar("T")

# Rows in memory at a time, and in a row group.
_ROWS = 50_000


class Parquet:
    """A Parquet file, whole or not there.

    Rows go to `FILE.part` as JSON lines, safe as `Grown` makes them. When all are there, a new file
    is written beside the old one from its rows and these, waited for until the disk has it, and put
    in its place; then `FILE.part` goes. Who is killed between the two last steps finds in the next
    run that the file has these rows already.

    Args:
        path: Where it lies.
        labels: The version's, which have a column each within `probabilities`.
        overwrite: Whether what is there is thrown away.

    Raises:
        SheetError: if another process is writing to it.
        OSError: if it cannot be written to.
    """

    def __init__(self, path: Path, labels: Sequence[str], *, overwrite: bool = False) -> None:
        self._path = path
        self._schema = _schema(labels)
        self._num_waiting = 0
        self._waiting = Grown(path.with_name(f"{path.name}.part"), JSON_LINES, overwrite=overwrite)
        if overwrite:
            path.unlink(missing_ok=True)

    def begin(self, take: Callable[[Row], bool]) -> None:
        for row in self._rows_there():
            take(row)
        new = [take(row) for row in self._waiting.rows()]
        self._num_waiting = len(new)
        if not any(new):  # they are in the file already, or there are none
            self._waiting.clear()
            self._num_waiting = 0

    def write(self, row: Row) -> None:
        self._waiting.write(row)
        self._num_waiting += 1

    def finish(self) -> None:
        if self._num_waiting or not self._path.exists():
            self._waiting.finish()
            self._write_anew()
        self._waiting.path.unlink()

    def close(self) -> None:
        self._waiting.close()

    def _rows_there(self) -> Iterator[Row]:
        if not self._path.exists():
            return
        try:
            with pq.ParquetFile(self._path) as file:
                found = file.schema_arrow
                if found.names == self._schema.names:
                    for batch in file.iter_batches(columns=["path", "version", "code", "answer"]):
                        yield from batch.to_pylist()
        except pa.ArrowInvalid as error:
            raise SheetError(f"{self._path} is no Parquet file. {INSTEAD}") from error
        if not found.equals(self._schema):
            raise SheetError(f"{self._path} holds other columns than rows of ours have. {INSTEAD}")

    def _write_anew(self) -> None:
        aside = self._path.with_name(f".{self._path.name}.new")
        try:
            with pq.ParquetWriter(aside, self._schema, compression="zstd") as writer:
                for batch in self._batches_there():
                    writer.write_batch(batch)
                for rows in _in_parts(self._waiting.rows(), _ROWS):
                    writer.write_table(pa.Table.from_pylist(rows, schema=self._schema))
            with aside.open("rb") as file:
                os.fsync(file.fileno())
            aside.replace(self._path)
            sync_folder(self._path.parent)
        finally:
            aside.unlink(missing_ok=True)

    def _batches_there(self) -> "Iterator[pa.RecordBatch]":
        if self._path.exists():
            with pq.ParquetFile(self._path) as file:
                yield from file.iter_batches(batch_size=_ROWS)


def _schema(labels: Sequence[str]) -> "pa.Schema":
    text, number = pa.string(), pa.float64()
    return pa.schema(
        {
            "path": text,
            "answer": text,
            "label": text,
            "confidence": number,
            "probabilities": pa.struct([(label, number) for label in labels]),
            "novelty": number,
            "version": text,
            "code": text,
            "detail": text,
        }
    )


def _in_parts(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while part := list(islice(items, size)):
        yield part
