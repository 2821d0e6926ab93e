"""What uploads hold in memory: never more than we would accept, and no longer than it is needed."""

import contextlib
import io

import pytest

from classifier.uploads import BoundedMemoryHandler, read_body, read_photo
from ml.photos import PhotoError
from tests.photos import photo_bytes, photo_upload


def received(handler, *chunks):
    """An upload in such chunks, as Django's parser would pass them on."""
    handler.new_file("image", "a.jpg", "image/jpeg", None)
    size = 0
    for chunk in chunks:
        handler.receive_data_chunk(chunk, size)
        size += len(chunk)
    return handler.file_complete(size)


@pytest.mark.parametrize("data", [photo_bytes(), b"oops", b""])
def test_a_read_upload_lets_go_of_its_bytes(data):
    upload = photo_upload(data)

    with contextlib.suppress(PhotoError):
        read_photo(upload)

    assert upload.closed


def test_an_upload_that_is_too_large_holds_nothing(settings):
    settings.PHOTO_MAX_BYTES = 100

    uploads = [
        received(BoundedMemoryHandler(), bytes(60), bytes(60), bytes(10)),
        read_body(io.BytesIO(bytes(130)), "image/jpeg"),
    ]

    for upload in uploads:
        assert upload.size == 130
        assert upload.file.getvalue() == b""
        with pytest.raises(PhotoError) as caught:
            read_photo(upload)
        assert caught.value.code == "too_large"


def test_what_is_dropped_makes_room_for_others(settings):
    settings.PHOTO_MAX_BYTES = 100
    handler = BoundedMemoryHandler()

    for _ in range(20):
        received(handler, bytes(60), bytes(60))

    assert received(handler, bytes(100)).size == 100


def test_a_handler_forgets_an_upload_that_it_gave_away():
    handler = BoundedMemoryHandler()

    upload = received(handler, b"abc", b"def")

    assert upload.read() == b"abcdef"
    assert handler._kept is None


def test_an_upload_is_read_without_a_copy():
    data = photo_bytes()
    upload = received(BoundedMemoryHandler(), data[:100], data[100:])

    first, second = upload.read(), upload.file.getvalue()

    assert first == data
    assert first is second
