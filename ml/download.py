"""Fetch the official cat and dog photos: resumed where cut, checked before they are unpacked."""

import hashlib
import http.client
import re
import shutil
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ml.progress import progress

LABELS = ("cat", "dog")

# Hidden, so that reading the folder as photos passes it by.
_ASIDE = ".download"
_MEMBER = re.compile(r"PetImages/(Cat|Dog)/([0-9]+\.jpg)")
_CHUNK = 1 << 20
_TIMEOUT = 60  # seconds without a byte

Say = Callable[[str], None]


class DownloadError(Exception):
    """The photos could not be fetched; the message says why, and what to do."""


@dataclass(frozen=True)
class Archive:
    """A zip of `PetImages/Cat/N.jpg` and `PetImages/Dog/N.jpg`.

    Attributes:
        url: Where it can be had.
        size: In bytes.
        sha256: Of its bytes.
        num_photos: Photos in it.
    """

    url: str
    size: int
    sha256: str
    num_photos: int


# Microsoft Download Center, id 54765, "Kaggle Cats and Dogs Dataset". The same address is in the
# Keras example "Image classification from scratch" and in TensorFlow Datasets' `cats_vs_dogs`.
OFFICIAL = Archive(
    url="https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/"
    "kagglecatsanddogs_5340.zip",
    size=824_887_076,
    sha256="b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9",
    num_photos=25_000,
)


def download(archive: Archive, to: Path, *, say: Say = lambda _: None) -> bool:
    """Fetch, check and unpack photos into `to/cat` and `to/dog`.

    Whatever stops it, neither folder is ever there by half, and the next call goes on from the
    byte where this one stopped.

    Args:
        archive: What to fetch.
        to: A folder, made if need be.
        say: Told what is done.

    Returns:
        Whether anything was done; False if both folders are there already.

    Raises:
        DownloadError: if it cannot be done.
    """
    aside = to / _ASIDE
    try:
        if not (aside / "photos").exists():
            if _is_there(to):
                return False
            aside.mkdir(parents=True, exist_ok=True)
            packed = aside / "photos.zip.part"
            _check_room(archive, packed, to)
            _fetch(archive, packed, say)
            _check(archive, packed)
            _unpack(archive, packed, aside)
        for label in LABELS:
            if not (to / label).exists():
                (aside / "photos" / label).rename(to / label)
        shutil.rmtree(aside)
    except OSError as error:
        raise DownloadError(
            f"Cannot write to {to}: {error.strerror or error}. What has come so far is kept: "
            "make room, and run this again."
        ) from error
    return True


def _is_there(to: Path) -> bool:
    found = [label for label in LABELS if (to / label).exists()]
    if len(found) == 1:
        raise DownloadError(
            f"{to / found[0]} is there and its other half is not: this is no download of ours. "
            "Name another folder with --to, or move it away."
        )
    return bool(found)


def _check_room(archive: Archive, packed: Path, to: Path) -> None:
    # The photos are JPEGs: unpacked they take about as much as packed.
    needed = 2 * archive.size - _length(packed)
    free = shutil.disk_usage(to).free
    if free < needed:
        raise DownloadError(
            f"{to} has {_gigabytes(free)} free; the download and its photos need "
            f"{_gigabytes(needed)}. Make room, or name another folder with --to."
        )


def _fetch(archive: Archive, packed: Path, say: Say) -> None:
    """Fetch what is missing of the zip."""
    start = _length(packed)
    if start >= archive.size:
        return
    with _ask(archive.url, start) as response:
        if start and response.status != http.HTTPStatus.PARTIAL_CONTENT:
            say("This server cannot resume: starting from the first byte.")
            start = 0
        _check_offer(response, archive, start)
        if start:
            say(f"Going on from byte {start:,} of {archive.size:,}.")
        with packed.open("r+b" if start else "wb") as file:
            file.seek(start)
            for chunk in _chunks(response, archive.size - start):
                file.write(chunk)
    if (arrived := _length(packed)) < archive.size:
        raise DownloadError(
            f"The connection was cut after {arrived:,} of {archive.size:,} bytes. "
            "Run this again to go on from there."
        )


def _ask(url: str, start: int) -> http.client.HTTPResponse:
    if not url.startswith(("http://", "https://")):
        raise DownloadError(f"The address must begin with http:// or https://. Received: {url!r}")
    headers = {"Range": f"bytes={start}-"} if start else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  checked above
    try:
        response: http.client.HTTPResponse
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)  # noqa: S310  checked above
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(
            f"{url} answered {error.code} {error.reason}. Name another address with --url."
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise DownloadError(f"{url} cannot be reached: {reason}. Run this again later.") from error
    return response


def _check_offer(response: http.client.HTTPResponse, archive: Archive, start: int) -> None:
    """Refuse another file by its length, before most of a gigabyte has come."""
    length = response.headers.get("Content-Length")
    if length is not None and start + int(length) != archive.size:
        raise DownloadError(
            f"The file at {archive.url} has {start + int(length):,} bytes; expected "
            f"{archive.size:,}. It is another file: name another address with --url."
        )


def _chunks(response: http.client.HTTPResponse, missing: int) -> Iterator[bytes]:
    """What the server sends, up to the length expected, for as long as it does."""

    def received() -> Iterator[bytes]:
        left = missing
        while left:
            try:
                chunk = response.read(min(_CHUNK, left))
            except http.client.IncompleteRead as error:
                chunk = error.partial
            except (OSError, http.client.HTTPException):  # cut: the caller counts what came
                return
            if not chunk:
                return
            left -= len(chunk)
            yield chunk

    return progress(received(), -(-missing // _CHUNK), "Downloading", unit=" MiB")


def _check(archive: Archive, packed: Path) -> None:
    with packed.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != archive.sha256:
        packed.unlink()  # going on from a wrong byte would never end
        raise DownloadError(
            f"The SHA-256 of {archive.url} is {found}; expected {archive.sha256}. The file was "
            "thrown away. Run this again, or name another address with --url."
        )


def _unpack(archive: Archive, packed: Path, aside: Path) -> None:
    """Unpack into `aside/photos`, which is there only once it is whole; drop the zip."""
    unpacking = aside / "unpacking"
    shutil.rmtree(unpacking, ignore_errors=True)
    try:
        for label in LABELS:
            (unpacking / label).mkdir(parents=True)
        _unpack_photos(archive, packed, unpacking)
        unpacking.rename(aside / "photos")
    finally:
        shutil.rmtree(unpacking, ignore_errors=True)
    packed.unlink()


def _unpack_photos(archive: Archive, packed: Path, folder: Path) -> None:
    with zipfile.ZipFile(packed) as zipped:
        # Names that are not exactly a photo's are passed by: none can point out of the folder.
        found = [match for name in zipped.namelist() if (match := _MEMBER.fullmatch(name))]
        if len(found) != archive.num_photos:
            raise DownloadError(
                f"The zip holds {len(found):,} photos PetImages/Cat/N.jpg and PetImages/Dog/N.jpg; "
                f"expected {archive.num_photos:,}."
            )
        for match in progress(found, len(found), "Unpacking"):
            target = folder / match[1].lower() / match[2]
            with zipped.open(match[0]) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file)


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _gigabytes(number: int) -> str:
    return f"{number / 1e9:,.1f} GB"
