"""Runs on a real cluster of two worker processes on this machine."""

import gc
import os
import signal
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import dask
import pytest
from distributed import Client, LocalCluster, WorkerPlugin

from ml import bulk, bulk_cluster
from ml.bulk_worker import Classifier
from ml.inference import OnnxEngine
from ml.rows import Limits, answer_file
from tests.ml.sheets import make_photos, rows_in, run
from tests.networks import write_tiny_version
from tests.photos import photo_bytes

# On this machine alone, at ports that are free.
LOCAL = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "protocol": "tcp"}
# Where neither this project nor its tests can be imported.
ELSEWHERE = """
import sys
from distributed import LocalCluster
with LocalCluster(n_workers=1, processes=False, dashboard_address=":0", protocol="tcp") as cluster:
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def local():
    """A cluster whose workers are replaced when they die, and which takes one death for an answer.

    Without that, each photo that kills would cost eight deaths, and a test half a minute.
    """
    settings = {"distributed.scheduler.allowed-failures": 0}
    with (
        dask.config.set(settings),
        LocalCluster(n_workers=2, threads_per_worker=1, **LOCAL) as cluster,
    ):
        yield cluster
    # What Dask leaves open of workers that were killed is collected here, in no other test.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def person(local):
    """Somebody else at the same cluster."""
    with Client(local.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        yield client


@pytest.fixture
def version(tmp_path):
    return write_tiny_version(tmp_path / "models")


@pytest.fixture
def photos(tmp_path):
    return make_photos(tmp_path / "photos", 40)


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(bulk_cluster, "_CHUNK", 4)


@contextmanager
def asked_at(address, version, places=(), say=print):
    engine = OnnxEngine(version)
    with bulk.on_cluster(address, version, engine.card, Limits(), places, say) as ask:
        yield ask


def on(local, version, places, output, **options):
    with asked_at(local.scheduler_address, version, places) as ask:
        return run(places, output, OnnxEngine(version), ask=ask, **options)


def test_a_cluster_writes_what_one_machine_writes(
    local, version, photos, tmp_path, small_chunks, monkeypatch
):
    monkeypatch.chdir(tmp_path)  # where no worker is

    run([Path("photos")], Path("here.jsonl"), OnnxEngine(version))
    on(local, version, [Path("photos")], Path("there.jsonl"))

    assert Path("there.jsonl").read_text() == Path("here.jsonl").read_text()
    assert len(rows_in(Path("there.jsonl"))) == 40


def test_a_killed_workers_photos_are_asked_about_again_and_each_has_one_row(
    local, version, photos, tmp_path, small_chunks, person
):
    (tmp_path / "more").mkdir()
    large = photo_bytes(size=(1200, 900))
    for number in range(30):
        (tmp_path / "more" / f"{number:03}.jpg").write_bytes(large)
    output, killed = tmp_path / "rows.jsonl", []

    def kill_a_busy_one():
        if killed:
            return
        busy = {address: keys for address, keys in person.processing().items() if keys}
        for address in busy:
            pid = person.run(os.getpid, workers=[address])[address]
            os.kill(pid, signal.SIGKILL)
            killed.append(address)
            return

    on(local, version, [photos, tmp_path / "more"], output, watch=kill_a_busy_one)

    paths = [row["path"] for row in rows_in(output)]
    assert len(killed) == 1
    assert paths == sorted(map(str, photos.iterdir())) + sorted(
        map(str, (tmp_path / "more").iterdir())
    )
    assert [row.get("code") for row in rows_in(output)].count(None) == 69  # one is broken
    assert killed[0] not in person.nthreads()


def test_a_photo_that_kills_its_workers_is_told_apart_and_ends_nothing(
    local, version, photos, tmp_path, small_chunks, person
):
    (photos / "017.png").write_bytes(b"deadly")
    person.register_plugin(_trap(), name="trap")
    output = tmp_path / "rows.jsonl"
    try:
        on(local, version, [photos], output)
    finally:
        person.unregister_worker_plugin("trap")

    rows = rows_in(output)
    assert [row["path"] for row in rows] == sorted(map(str, photos.iterdir()))
    assert [row["path"] for row in rows if row.get("code") == "crashed"] == [
        str(photos / "017.png")
    ]
    assert sum("answer" in row for row in rows) == 38  # and one is broken


def _trap():
    """Ends a worker's process at a certain photo, as a decoder does that crashes."""

    class Trap(WorkerPlugin):
        def setup(self, worker):
            from ml import rows

            decode = rows.decode_photo

            def decode_or_die(data, **options):
                if data == b"deadly":
                    os.kill(os.getpid(), signal.SIGKILL)
                return decode(data, **options)

            rows.decode_photo = decode_or_die

    return Trap()


def test_what_a_cluster_did_is_not_done_again(local, version, photos, tmp_path, small_chunks):
    output = tmp_path / "rows.csv"
    on(local, version, [photos], output)
    before = output.read_bytes()

    tally = on(local, version, [photos], output)

    assert (output.read_bytes(), tally.before) == (before, 40)


def test_nothing_of_a_run_stays_with_the_workers_even_of_one_that_was_killed(
    local, version, photos, tmp_path, person
):
    killed = Classifier("catsdogs-Client-that-is-gone", "1", {}, Limits(), [])
    person.register_plugin(killed)

    on(local, version, [photos], tmp_path / "rows.csv")

    def left(dask_worker):
        return [name for name in dask_worker.plugins if name.startswith("catsdogs")]

    assert set(map(tuple, person.run(left).values())) == {()}
    assert not any(person.processing().values())


def test_two_runs_at_once_do_not_disturb_each_other(local, version, photos, tmp_path, small_chunks):
    begun = []

    def begin_another():
        if not begun:
            begun.append(on(local, version, [photos], tmp_path / "other.csv"))

    on(local, version, [photos], tmp_path / "rows.csv", watch=begin_another)

    assert (tmp_path / "rows.csv").read_bytes() == (tmp_path / "other.csv").read_bytes()


def test_workers_that_do_not_see_the_photos_are_named_before_any_is_asked(local, version, tmp_path):
    with (
        pytest.raises(
            bulk.BulkError, match=r"Worker tcp://.*gone is not there for it: .*same path"
        ),
        asked_at(local.scheduler_address, version, [tmp_path / "gone"]),
    ):
        pass


def test_workers_check_each_file_of_the_version_again(local, version, tmp_path, monkeypatch):
    read = Path.read_bytes

    def read_and_change(path):
        return read(path) + (b"!" if path.name == "model.onnx" else b"")

    engine = OnnxEngine(version)
    monkeypatch.setattr(Path, "read_bytes", read_and_change)
    with (
        pytest.raises(bulk.BulkError, match=r"model\.onnx is not the file that was saved"),
        bulk.on_cluster(local.scheduler_address, version, engine.card, Limits(), [tmp_path], print),
    ):
        pass


def test_a_cluster_where_this_project_is_not_installed_is_told_so(version, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with (
        process,
        pytest.raises(bulk.BulkError, match=r"not importable for the scheduler \(ModuleNotFound"),
        asked_at(process.stdout.readline().strip(), version),
    ):
        pass


def test_where_no_scheduler_answers_it_is_said(version, monkeypatch):
    monkeypatch.setattr(bulk_cluster, "_PATIENCE", 0.3)

    with (
        pytest.raises(bulk.BulkError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"),
        asked_at("tcp://127.0.0.1:9", version),
    ):
        pass


def test_a_cluster_without_workers_is_refused(version, monkeypatch):
    monkeypatch.setattr(bulk_cluster, "_PATIENCE", 1)

    with (
        LocalCluster(n_workers=0, processes=False, **LOCAL) as empty,
        pytest.raises(bulk.BulkError, match="has no worker"),
        asked_at(empty.scheduler_address, version),
    ):
        pass


def test_a_lost_scheduler_ends_the_run_and_what_was_written_stays(
    version, photos, tmp_path, small_chunks, monkeypatch
):
    monkeypatch.setattr(bulk_cluster, "_PATIENCE", 1)
    output, number = tmp_path / "rows.jsonl", len(list(photos.iterdir()))
    with LocalCluster(n_workers=1, processes=False, **LOCAL) as cluster:

        def lose_it():
            cluster.close()

        with pytest.raises(bulk.BulkError, match="The cluster failed"):
            on(cluster, version, [photos], output, watch=lose_it)

    assert 0 < len(rows_in(output)) < number
    run([photos], output, OnnxEngine(version))
    assert len({row["path"] for row in rows_in(output)}) == number == len(rows_in(output))


def test_a_photo_has_the_same_row_wherever_it_is_asked_about(local, version, photos):
    photo = str(next(photos.iterdir()))

    with asked_at(local.scheduler_address, version) as ask:
        answered = list(ask(iter([photo])))

    assert answered == [(photo, answer_file(OnnxEngine(version), photo, Limits()))]
