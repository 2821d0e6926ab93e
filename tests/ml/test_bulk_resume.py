import pytest

from ml.bulk_files import Grown, SheetError
from ml.bulk_forms import CSV, JSON_LINES
from tests.limits import limit_file_size
from tests.ml.answers import LookingEngine
from tests.ml.sheets import make_photos, paths_in, rows_in, run

ENDINGS = [".csv", ".jsonl", ".parquet"]


class CountingEngine(LookingEngine):
    asked = 0

    def predict(self, pixels):
        self.asked += 1
        return super().predict(pixels)


class Stop(Exception):
    pass


@pytest.fixture
def photos(tmp_path):
    return make_photos(tmp_path / "photos")


@pytest.fixture(params=ENDINGS)
def output(request, tmp_path):
    return tmp_path / f"rows{request.param}"


def whole(photos, tmp_path, suffix):
    """What an undisturbed run writes."""
    other = tmp_path / f"undisturbed{suffix}"
    run([photos], other)
    return rows_in(other)


def stop_after(number):
    left = iter(range(number - 1))

    def watch():
        if next(left, None) is None:
            raise Stop

    return watch


def test_a_run_goes_on_where_it_stopped(photos, tmp_path, output):
    with pytest.raises(Stop):
        run([photos], output, watch=stop_after(3))
    engine = CountingEngine()

    tally = run([photos], output, engine)

    assert rows_in(output) == whole(photos, tmp_path, output.suffix)
    assert (tally.before, tally.photos) == (3, 5)
    assert engine.asked == 2


def test_what_is_done_is_not_done_again(photos, output):
    run([photos], output)
    before, engine = output.read_bytes(), CountingEngine()

    run([photos], output, engine)

    assert (output.read_bytes(), engine.asked) == (before, 0)


def test_new_photos_are_added(photos, output):
    run([photos], output)
    (photos / "0000.png").write_bytes((photos / "000.png").read_bytes())
    engine = CountingEngine()

    run([photos], output, engine)

    paths = paths_in(output)
    assert paths[5:] == [str(photos / "0000.png")]
    assert len(set(paths)) == 6
    assert engine.asked == 1


@pytest.mark.parametrize("form", [CSV, JSON_LINES])
def test_a_file_that_was_cut_off_anywhere_is_made_whole(tmp_path, form):
    # A name with all that CSV quotes: a cut within it must be seen for one.
    paths = ["a.png", 'b"\n\r, "\n.png', "c.png"]
    rows = [{"path": path, "code": "broken_image", "detail": "It is, so."} for path in paths]
    grow(tmp_path / "rows", form, rows)
    everything = (tmp_path / "rows").read_bytes()

    for end in range(len(everything)):
        (tmp_path / "rows").write_bytes(everything[:end])
        grow(tmp_path / "rows", form, rows)
        assert (tmp_path / "rows").read_bytes() == everything, end


def grow(path, form, rows):
    """Add the rows that are not there."""
    sheet, found = Grown(path, form), []
    sheet.begin(lambda row: found.append(row["path"]))
    for row in rows:
        if row["path"] not in found:
            sheet.write(row)
    sheet.close()


def test_another_versions_rows_are_refused_and_stay(photos, output):
    run([photos], output)
    before = output.read_bytes()

    with pytest.raises(SheetError, match=r"rows of version 2026-01-01\.1, and this is b\."):
        run([photos], output, LookingEngine(version="b"))
    assert output.read_bytes() == before


def test_another_versions_rows_that_wait_are_refused_likewise(photos, tmp_path):
    with pytest.raises(Stop):
        run([photos], tmp_path / "rows.parquet", watch=stop_after(2))

    with pytest.raises(SheetError, match="this is b"):
        run([photos], tmp_path / "rows.parquet", LookingEngine(version="b"))


def test_rows_are_overwritten_if_it_is_asked_for(photos, output):
    run([photos], output)
    with pytest.raises(Stop):
        run([photos], output, overwrite=True, watch=stop_after(2))

    run([photos], output, LookingEngine(version="b"), overwrite=True)

    assert [row.get("version") for row in rows_in(output)] == ["b", "b", None, "b", "b"]


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n",
        b"path,answer,label,confidence,probabilities,novelty,version,code\r\na,,,,,,,x\r\n",
        b"path,answer,label,confidence,probabilities,novelty,version,code,detail\r\n1,2\r\n",
        b'{"a": 1}\n',
        b'{"path": 1}\n',
        b'{"path": "a"}\n',
        b"notes, and not even a line",
        b"[1, 2]",
        b"\xff\xfe",
        b"PAR1 and no more",
    ],
)
def test_what_somebody_else_wrote_is_refused_and_stays(photos, output, content):
    output.write_bytes(content)

    with pytest.raises(SheetError, match=f"{output.name} .*--overwrite"):
        run([photos], output)
    assert output.read_bytes() == content


def test_a_quotation_mark_in_the_middle_costs_nobody_their_rows(tmp_path):
    photos, output = make_photos(tmp_path / "photos", 400), tmp_path / "rows.csv"
    run([photos], output)
    header, rows = output.read_bytes().split(b"\r\n", 1)
    spoilt = header + b'\r\n"' + 3 * rows
    output.write_bytes(spoilt)

    with pytest.raises(SheetError):
        run([photos], output)
    assert output.read_bytes() == spoilt


def test_two_runs_never_write_to_one_file(photos, output):
    def at_the_same_time():
        with pytest.raises(SheetError, match="Another process is writing to"):
            run([photos], output)
        raise Stop

    with pytest.raises(Stop):
        run([photos], output, watch=at_the_same_time)


def test_after_a_full_disk_a_run_goes_on(photos, tmp_path, output):
    with limit_file_size(700), pytest.raises(OSError, match="File too large"):
        run([photos], output)

    run([photos], output)

    assert rows_in(output) == whole(photos, tmp_path, output.suffix)


def test_a_disk_that_is_full_when_rows_are_put_together_leaves_them_waiting(photos, tmp_path):
    output = tmp_path / "rows.parquet"
    with limit_file_size(3000), pytest.raises(OSError, match="File too large"):
        run([photos], output)
    assert not output.exists()
    engine = CountingEngine()

    run([photos], output, engine)

    assert rows_in(output) == whole(photos, tmp_path, ".parquet")
    assert engine.asked == 0
    assert {path.name for path in tmp_path.glob("*rows*")} == {"rows.parquet"}


def test_rows_that_were_put_together_and_still_wait_are_not_added_twice(photos, tmp_path):
    output, waiting = tmp_path / "rows.parquet", tmp_path / "rows.parquet.part"
    kept = []
    run([photos], output, watch=lambda: kept.append(waiting.read_bytes()))
    waiting.write_bytes(kept[-1])  # as if it was killed before it could remove them

    run([photos], output)

    assert rows_in(output) == whole(photos, tmp_path, ".parquet")
    assert not waiting.exists()
