"""Where a photo was taken, and by whom, is in its file; nothing of it is in what we serve."""

import re
from io import BytesIO

import pytest
from PIL import ExifTags, Image

from classifier.models import Prediction
from tests.forged import segment
from tests.photos import drawn_pixels, encode, photo_upload

NAME = b"Erika Example"
# 48° 51' 29.6" as EXIF keeps it, the seconds as the fraction 148 / 5.
SECONDS = (148).to_bytes(4) + (5).to_bytes(4)
XMP = (
    b'<x:xmpmeta><rdf:Description exif:GPSLatitude="48,51.49N" dc:creator="%s"/></x:xmpmeta>' % NAME
)
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(NAME).to_bytes(4) + NAME + b"\0"
FORMATS = ["JPEG", "PNG", "WEBP", "AVIF"]


def telling_photo(format="JPEG"):
    """A drawn photo that tells where it was taken, by whom, and with which camera."""
    exif = Image.Exif()
    exif.endian = ">"
    exif[ExifTags.Base.Artist] = NAME.decode()
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLatitude] = "N", (48.0, 51.0, 29.6)
    place[ExifTags.GPS.GPSLongitudeRef], place[ExifTags.GPS.GPSLongitude] = "E", (2.0, 21.0, 5.8)
    image = Image.fromarray(drawn_pixels())
    more = {} if format == "PNG" else {"xmp": XMP}
    data = encode(image, format, exif=exif.tobytes(), icc_profile=b"profile of " + NAME, **more)
    if format == "JPEG":
        data = data[:2] + segment(0xED, IPTC) + segment(0xFE, b"by " + NAME) + data[2:]
    return data


def segments(jpeg):
    """Markers of a JPEG before its scan."""
    found, place = [], 2
    while jpeg[place + 1] != 0xDA:
        found.append(jpeg[place + 1])
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4])
    return found


def assert_tells_nothing(response):
    assert response.status_code == 200
    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    # JFIF's own header, tables and the frame: no EXIF, XMP, IPTC, profile or comment.
    assert set(segments(response.content)) <= {0xE0, 0xDB, 0xC0, 0xC2, 0xC4, 0xDD}
    assert NAME not in response.content
    assert SECONDS not in response.content
    assert b"GPS" not in response.content
    with Image.open(BytesIO(response.content)) as shown:
        assert not shown.getexif()
        assert not {"xmp", "icc_profile", "comment", "photoshop"} & set(shown.info)


def send(client, format="JPEG"):
    body = client.post("/api/predict", {"image": photo_upload(telling_photo(format))}).json()
    return Prediction.objects.get(pk=body["id"])


def test_the_photo_that_is_sent_tells_it_all():
    with Image.open(BytesIO(telling_photo())) as image:
        place = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)

    assert [float(each) for each in place[ExifTags.GPS.GPSLatitude]] == [48.0, 51.0, 29.6]
    assert SECONDS in telling_photo()
    assert telling_photo().count(NAME) == 5


@pytest.mark.parametrize("format", FORMATS)
def test_a_served_photo_tells_nothing(client, engine, format):
    prediction = send(client, format)

    assert NAME in telling_photo(format)
    assert prediction.photo_format == format
    assert_tells_nothing(client.get(f"/photos/{prediction.pk}/"))


@pytest.mark.parametrize(
    "address",
    [
        "/predictions/{}/",
        "/review",
        "/admin/classifier/prediction/",
        "/admin/classifier/prediction/{}/change/",
    ],
)
def test_every_photo_of_a_page_tells_nothing(admin_client, engine, address):
    prediction = send(admin_client)
    said = {"prediction": prediction.pk, "label": "dog", "consent": True}
    admin_client.post("/api/feedback", said, content_type="application/json")

    html = admin_client.get(address.format(prediction.pk)).text

    sources = re.findall(rf'src="(/photos/{prediction.pk}/(?:\?[^"]*)?)"', html)
    assert sources
    for source in sources:
        assert_tells_nothing(admin_client.get(source))


@pytest.mark.parametrize("address", ["/api/predictions/{}", "/api/predictions/{}/receipt"])
def test_what_the_api_tells_of_a_photo_is_its_size(client, engine, address):
    prediction = send(client)

    answer = client.get(address.format(prediction.pk))

    assert answer.status_code == 200
    assert NAME not in answer.content
    assert b"GPS" not in answer.content
