import contextlib
from dataclasses import replace

import pytest

from ml import download as module
from ml.download import DownloadError, download
from tests.archives import NUM_PHOTOS, archive_of, serving, zipped
from tests.limits import limit_file_size
from tests.photos import photo_bytes


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(zipped()) as server:
        yield server


def files_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


WHOLE = [f"{label}/{number}.jpg" for label in ("cat", "dog") for number in range(NUM_PHOTOS)]


def cut_short(server, to, after):
    """A first try that the server cuts."""
    server.cut_after = after
    with pytest.raises(DownloadError):
        download(archive_of(server), to)
    server.cut_after = None


def test_the_photos_lie_in_one_folder_per_label_and_nothing_else_does(server, tmp_path):
    assert download(archive_of(server), tmp_path / "raw")

    assert files_in(tmp_path / "raw") == WHOLE
    assert (tmp_path / "raw/dog/1.jpg").read_bytes() == photo_bytes(size=(65, 48)) + b"Dog"
    assert not (tmp_path / "raw/.download").exists()


def test_a_second_time_it_asks_for_nothing(server, tmp_path):
    download(archive_of(server), tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    assert download(archive_of(server), tmp_path) is False

    assert server.asked == [None]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_cut_connection_is_told_and_the_next_try_fetches_only_the_rest(server, tmp_path):
    server.cut_after = 1000
    with pytest.raises(DownloadError, match=r"cut after 1,000 of [\d,]+ bytes.*Run this again"):
        download(archive_of(server), tmp_path)
    assert not (tmp_path / "cat").exists()

    server.cut_after = None
    said = []
    download(archive_of(server), tmp_path, say=said.append)

    assert server.asked == [None, "bytes=1000-"]
    assert said == [f"Going on from byte 1,000 of {len(server.data):,}."]
    assert files_in(tmp_path) == WHOLE


def test_ctrl_c_keeps_what_came_and_the_next_try_goes_on(server, tmp_path, monkeypatch):
    def interrupted(chunks, *_, **__):
        yield next(iter(chunks))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "_CHUNK", 1000)
        patch.setattr(module, "progress", interrupted)
        with pytest.raises(KeyboardInterrupt):
            download(archive_of(server), tmp_path)
    assert files_in(tmp_path) == [".download/photos.zip.part"]

    download(archive_of(server), tmp_path)

    assert server.asked == [None, "bytes=1000-"]
    assert files_in(tmp_path) == WHOLE


def test_a_server_that_knows_no_range_is_asked_for_all_of_it(server, tmp_path):
    cut_short(server, tmp_path, 1000)
    server.knows_range = False
    said = []

    download(archive_of(server), tmp_path, say=said.append)

    assert said == ["This server cannot resume: starting from the first byte."]
    assert files_in(tmp_path) == WHOLE


def test_a_wrong_checksum_is_told_and_the_file_thrown_away(server, tmp_path):
    archive = archive_of(server)
    server.data = server.data[:-1] + b"\1"

    with pytest.raises(DownloadError, match=f"expected {archive.sha256}.*thrown away"):
        download(archive, tmp_path)

    assert files_in(tmp_path) == []


def test_a_file_of_another_length_is_refused_before_it_comes(server, tmp_path):
    archive = replace(archive_of(server), size=10_000_000)

    with pytest.raises(DownloadError, match=r"expected 10,000,000\. It is another file"):
        download(archive, tmp_path)

    assert files_in(tmp_path) == []


def test_a_file_that_is_not_there_is_told_with_its_address(server, tmp_path):
    server.status = 404

    with pytest.raises(DownloadError, match="photos.zip answered 404 Not Found.*--url"):
        download(archive_of(server), tmp_path)

    assert files_in(tmp_path) == []


def test_a_server_that_is_not_there_is_told(server, tmp_path):
    archive = archive_of(server)
    server.shutdown()
    server.server_close()

    with pytest.raises(DownloadError, match="cannot be reached.*refused"):
        download(archive, tmp_path)


def test_only_web_addresses_are_asked(server, tmp_path):
    (tmp_path / "here.zip").write_bytes(server.data)
    archive = replace(archive_of(server), url=(tmp_path / "here.zip").as_uri())

    with pytest.raises(DownloadError, match="must begin with http"):
        download(archive, tmp_path / "raw")


def test_names_that_point_out_of_the_folder_are_passed_by(server, tmp_path):
    server.data = zipped(
        extra=[
            "../evil.jpg",
            "PetImages/Cat/../../evil.jpg",
            "/evil.jpg",
            "PetImages/Cat/evil.jpg",
            "PetImages/Fox/1.jpg",
        ]
    )

    download(archive_of(server), tmp_path / "raw")

    assert files_in(tmp_path) == [f"raw/{name}" for name in WHOLE]


def test_a_zip_of_another_shape_is_refused(server, tmp_path):
    archive = replace(archive_of(server), num_photos=25_000)

    with pytest.raises(DownloadError, match="holds 6 photos.*expected 25,000"):
        download(archive, tmp_path)

    assert not (tmp_path / "cat").exists()
    assert not (tmp_path / "dog").exists()


def test_half_a_folder_that_is_not_ours_is_left_alone(server, tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "mine.jpg").write_bytes(b"mine")

    with pytest.raises(DownloadError, match="its other half is not"):
        download(archive_of(server), tmp_path)

    assert files_in(tmp_path) == ["cat/mine.jpg"]
    assert server.asked == []


def test_a_kill_between_the_two_folders_is_mended_by_the_next_try(server, tmp_path):
    download(archive_of(server), tmp_path)
    (tmp_path / ".download" / "photos").mkdir(parents=True)
    (tmp_path / "dog").rename(tmp_path / ".download" / "photos" / "dog")

    assert download(archive_of(server), tmp_path)

    assert files_in(tmp_path) == WHOLE
    assert server.asked == [None]


def test_too_little_room_is_told_before_anything_is_asked(server, tmp_path):
    archive = replace(archive_of(server), size=10**18)

    with pytest.raises(DownloadError, match=r"GB free.*need 2,000,000,000\.0 GB"):
        download(archive, tmp_path)

    assert server.asked == []


@pytest.mark.parametrize("fails", ["download", "unpacking"])
def test_a_disk_that_fills_up_is_told_and_what_came_is_kept(server, tmp_path, fails):
    size = 1000
    if fails == "unpacking":
        with contextlib.suppress(DownloadError):
            download(replace(archive_of(server), num_photos=1), tmp_path)
        size = 300

    with limit_file_size(size), pytest.raises(DownloadError, match=r"Cannot write to .*too large"):
        download(archive_of(server), tmp_path)
    assert files_in(tmp_path) == [".download/photos.zip.part"]

    download(archive_of(server), tmp_path)

    assert files_in(tmp_path) == WHOLE
