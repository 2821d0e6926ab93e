"""What becomes of a file that means no good: where it lies, what of it is served, and to whom."""

import io
import stat
import zipfile

import pytest
from PIL import Image

from classifier import storage
from classifier.models import Prediction
from tests.photos import photo_bytes, photo_upload

GPS, MAKER_NOTE = 0x8825, 0x927C
SCRIPT = b"<html><script>alert(document.domain)</script></html>"


def with_metadata():
    """A JPEG that says where it was taken, by whom, and hides a script in its comment."""
    exif = Image.Exif()
    exif[GPS] = {1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2)}
    exif[0x010F], exif[0x013B] = "MAKER-of-it", "ARTIST-of-it"
    target = io.BytesIO()
    image = Image.new("RGB", (50, 40), (200, 120, 40))
    image.save(target, "JPEG", exif=exif, comment=SCRIPT)
    return target.getvalue()


def as_archive():
    """A photo that is a zip archive as well."""
    target = io.BytesIO(photo_bytes())
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("../../evil.sh", "#!/bin/sh")
    return target.getvalue()


HARMFUL = {
    "metadata": with_metadata,
    "script behind the picture": lambda: photo_bytes() + SCRIPT,
    "archive": as_archive,
    "script in a PNG": lambda: photo_bytes(format="PNG") + SCRIPT,
    "script in a GIF": lambda: photo_bytes(format="GIF") + b";" + SCRIPT,
}


@pytest.fixture(params=HARMFUL)
def served(request, client, engine):
    """A harmful file sent by a visitor, and the answer that shows it."""
    sent = HARMFUL[request.param]()
    if client.post("/classify/", {"photo": photo_upload(sent)}).status_code == 422:
        return None, b""  # refused: just as well
    return client.get(f"/photos/{Prediction.objects.get().pk}/"), sent


def test_what_is_served_is_drawn_anew(served):
    shown, sent = served
    if shown is None:
        assert not Prediction.objects.exists()
        return

    image = Image.open(io.BytesIO(shown.content))
    assert image.format == "JPEG"
    assert not image.getexif() and "comment" not in image.info
    assert b"script" not in shown.content and b"PK" not in shown.content[-200:]
    assert shown.content != sent


def test_a_browser_takes_it_for_a_picture_and_nothing_else(client, engine):
    client.post("/classify/", {"photo": photo_upload(photo_bytes(), name="../evil.html")})

    shown = client.get(f"/photos/{Prediction.objects.get().pk}/")

    assert shown["Content-Type"] == "image/jpeg"
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["Content-Disposition"] == 'inline; filename="photo.jpg"'
    assert "default-src 'none'" in shown["Content-Security-Policy"]
    assert "private" in shown["Cache-Control"]


def test_where_it_was_taken_is_told_to_nobody(client, engine):
    client.post("/classify/", {"photo": photo_upload(with_metadata())})
    own = Prediction.objects.get()

    for path in (f"/photos/{own.pk}/", f"/predictions/{own.pk}/", f"/api/predictions/{own.pk}"):
        told = client.get(path).content
        assert b"MAKER-of-it" not in told and b"ARTIST-of-it" not in told and b"GPS" not in told


@pytest.mark.parametrize(
    "name", ["../../../evil.html", "/etc/cron.d/evil", "evil.php%00.jpg", "e" * 300, "NUL", ".ssh"]
)
def test_the_sender_names_no_file(client, engine, photos_dir, name):
    client.post("/classify/", {"photo": photo_upload(photo_bytes(), name=name)})

    (kept,) = [path for path in photos_dir.rglob("*") if path.is_file()]
    sha256 = Prediction.objects.get().photo_sha256
    assert kept == storage.path_of(sha256)
    assert sha256 in kept.name.replace("/", "")


def test_a_kept_photo_is_for_the_site_s_own_account_and_cannot_be_run(client, engine, photos_dir):
    client.post("/classify/", {"photo": photo_upload()})

    kept = storage.path_of(Prediction.objects.get().photo_sha256)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_kept_photos_lie_outside_of_what_is_served(settings):
    from django.conf import settings as site

    assert not site.PHOTOS_DIR.is_relative_to(site.STATIC_ROOT)
    assert not getattr(site, "MEDIA_URL", "").strip("/")


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"%PDF-1.7 " + SCRIPT,
        b"GIF89a" + SCRIPT,
        b"PK\x03\x04" + bytes(100),
        b"#!/bin/sh\n",
        b"MZ" + bytes(200),
        b"push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 'https://127.0.0.1/x'\n",
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        b"%!PS\n",
        SCRIPT,
    ],
    ids=lambda data: str(data[:12]),
)
@pytest.mark.parametrize("name", ["photo.jpg", "photo.svg", "photo.jpg.php"])
def test_what_only_claims_to_be_a_photo_is_not_kept(client, engine, photos_dir, data, name):
    answer = client.post("/classify/", {"photo": photo_upload(data, name=name)})

    assert answer.status_code == 422
    assert engine.asked == []
    assert [path for path in photos_dir.rglob("*") if path.is_file()] == []
    assert not Prediction.objects.exists()
