"""The rule for what we accept: an upload is a photo, or it is refused with one code."""

import contextlib
import io
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from ml.photos import Photo, PhotoError, check_size, decode_photo
from ml.sentences import Sentence

_CHUNK = 64 * 1024
# Of one request, so that a batch of photos cannot take all memory either.
_MOST_PHOTOS_IN_MEMORY = 8


def read_photo(upload: UploadedFile) -> Photo:
    """Decode an upload, judged by its content; its name and declared type count for nothing.

    Raises:
        PhotoError: with the code `too_large`, one of `decode_photo`'s, or `overloaded` where the
            server has no memory left for a photo that it would otherwise accept.
    """
    # Closed at once: a request may linger until garbage is collected, and its 20 MB with it.
    with contextlib.closing(upload):
        return _read(upload)


def _read(upload: UploadedFile) -> Photo:
    check_size(upload.size or 0, settings.PHOTO_MAX_BYTES)
    try:
        return decode_photo(upload.read(), max_pixels=settings.PHOTO_MAX_PIXELS)
    except MemoryError as error:
        raise PhotoError(
            Sentence(
                "There is no memory left for a photo of this size right now. Please try again."
            ),
            code="overloaded",
        ) from error


class BoundedMemoryHandler(FileUploadHandler):
    """Holds uploads in memory, never on disk, and never more than we would accept.

    What lies beyond the limit is read, counted and dropped: whoever sent it gets an answer with
    the reason, where a closed connection would tell nothing. `read_photo` refuses by the size.
    """

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self._room = settings.PHOTO_MAX_BYTES * _MOST_PHOTOS_IN_MEMORY

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._kept: io.BytesIO | None = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self._kept is None:
            return
        fits = start + len(raw_data) <= settings.PHOTO_MAX_BYTES
        if fits and self._room >= len(raw_data):
            self._kept.write(raw_data)
            self._room -= len(raw_data)
        else:
            self._room += self._kept.tell()
            self._kept = None

    def file_complete(self, file_size: int) -> UploadedFile:
        # A file dropped for want of room is refused as too large, whatever its own size.
        kept, self._kept = self._kept, None
        size = file_size if kept else max(file_size, settings.PHOTO_MAX_BYTES + 1)
        return _in_memory(kept, self.file_name or "", self.content_type or "", size)


def read_body(stream: IO[bytes], content_type: str) -> UploadedFile:
    """A raw request body as an upload, read to its end and held no further than the limit."""
    kept: io.BytesIO | None = io.BytesIO()
    size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > settings.PHOTO_MAX_BYTES:
            kept = None
        elif kept:
            kept.write(chunk)
    return _in_memory(kept, "photo", content_type, size)


def _in_memory(kept: io.BytesIO | None, name: str, content_type: str, size: int) -> UploadedFile:
    # What was written with room to spare is shrunk, so that reading all of it copies nothing.
    file = io.BytesIO(kept.getvalue() if kept else b"")
    return InMemoryUploadedFile(file, None, name, content_type, size, None)
