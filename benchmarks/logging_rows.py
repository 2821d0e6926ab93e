"""What does it cost to log an answer on PostgreSQL: by the ORM, by one statement, in groups?

    python -m benchmarks.logging_rows [--rows 2000] [--durable]

CPU of this process and of the server for each row, and rows a second, with one thread and with
four. `--durable` lets commits wait for the disk, as in life; without, waiting is left out.
"""

import argparse
import io
import os
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache

from PIL import Image

from benchmarks.postgres import Postgres, running_postgres


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000, help="of each way (default: 2000)")
    parser.add_argument("--durable", action="store_true", help="commits wait for the disk")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="catsdogs-logging-") as place,
        running_postgres(waits_for_disk=options.durable) as postgres,
    ):
        _set_up(postgres, place)
        print("| way | threads | CPU here, ms | CPU of PostgreSQL, ms | rows a second |")
        print("| --- | --- | --- | --- | --- |")
        for threads in (1, 4):
            for way in (_by_orm, _by_statement, _by_spool, _in_groups()):
                _measure(postgres, way, options.rows, threads)
    return 0


def _set_up(postgres: Postgres, place: str) -> None:
    os.environ.update(
        DATABASE_URL=postgres.url,
        CATSDOGS_VAR=place,
        DEBUG="true",
        DJANGO_SETTINGS_MODULE="catsdogs.settings",
    )
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.DEBUG = False  # or Django would remember each query
    from classifier import database

    call_command("migrate", verbosity=0)
    call_command("register_models", verbosity=0)
    database.install()


@cache
def _photo():  # type: ignore[no-untyped-def]
    from ml.photos import decode_photo

    file = io.BytesIO()
    Image.new("RGB", (64, 48)).save(file, "JPEG")
    return decode_photo(file.getvalue())


def _row():  # type: ignore[no-untyped-def]  # Django is not set up when this file is read
    from classifier.models import ModelVersion, Prediction
    from classifier.serving import engine
    from ml.inference import Answer

    answer = Answer("cat", {"cat": 0.9, "dog": 0.1}, novelty=0.125)
    version = ModelVersion.from_card(engine().card)
    return Prediction.of(
        answer, _photo(), version=version, person="visitor:x", inference_ms=12.0, total_ms=16.0
    )


def _by_orm() -> None:
    _row().save(force_insert=True)


def _by_statement() -> None:
    from classifier import journal

    journal.log(_row())


def _by_spool() -> None:
    from classifier import journal, rows

    journal._writer.append(rows.as_line(_row()))


def _in_groups() -> Callable[[], None]:
    """Whoever comes while a statement is on its way shares the next one."""
    from classifier import rows

    waiting: queue.SimpleQueue = queue.SimpleQueue()
    turn = threading.Lock()

    def log() -> None:
        mine = (_row(), threading.Event())
        waiting.put(mine)
        while not mine[1].is_set():
            if not turn.acquire(timeout=0.001):
                continue
            try:
                group = []
                while not waiting.empty():
                    group.append(waiting.get())
                if group:
                    rows.insert([row for row, _ in group])
                for _, done in group:
                    done.set()
            finally:
                turn.release()

    log.__name__ = "_in_groups"
    return log


def _measure(postgres: Postgres, way: Callable[[], None], rows: int, threads: int) -> None:
    for _ in range(20):
        way()
    begin = threading.Barrier(threads + 1)
    go = threading.Barrier(threads + 1)
    workers = [
        threading.Thread(target=_work, args=(way, rows // threads, (begin, go)))
        for _ in range(threads)
    ]
    for worker in workers:
        worker.start()
    begin.wait()
    here, there, began = time.process_time(), postgres.cpu_seconds(), time.perf_counter()
    go.wait()
    begin.wait()
    here, there = time.process_time() - here, postgres.cpu_seconds() - there
    seconds = time.perf_counter() - began
    go.wait()
    for worker in workers:
        worker.join()
    per_row = (f"{spent / rows * 1000:.3f}" for spent in (here, there))
    print(f"| {way.__name__[1:]} | {threads} | {' | '.join(per_row)} | {rows / seconds:.0f} |")


def _work(way: Callable[[], None], rows: int, barriers: Sequence[threading.Barrier]) -> None:
    from django.db import connection

    begin, go = barriers
    connection.ensure_connection()
    begin.wait()
    go.wait()
    for _ in range(rows):
        way()
    begin.wait()  # its connection lives until the server's time was read
    go.wait()
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
