"""Edited requests and any chunks: an answer or a code, and never more memory than allowed."""

import io

from django.conf import settings as site
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.uploads import BoundedMemoryHandler, read_body, read_photo
from ml.photos import PhotoError
from tests.hostile_requests import multipart, part, send
from tests.mutants import mutant

FEW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CODES = {
    *("empty_file", "broken_image", "unsupported_format", "too_many_pixels", "too_large"),
    *("missing_image", "invalid", "too_many_images"),
}
STATUSES = {200, 201, 400, 413, 415}
FORM = multipart(part(), part(name=b"file", data=b"oops"))

edits = st.lists(st.tuples(st.integers(0, 9999), st.binary(max_size=6)), min_size=1, max_size=5)
content_types = st.one_of(
    st.just("multipart/form-data; boundary=a-boundary"),
    st.text(st.characters(max_codepoint=255, exclude_characters="\0\r\n"), max_size=40).map(
        lambda text: "multipart/form-data; boundary=" + text
    ),
    st.sampled_from(("image/jpeg", "image/x-none", "multipart/mixed; boundary=a-boundary", "")),
)


def codes_in(body):
    return {each.get("code") for each in body.get("results", [body])} - {None}


@FEW
@given(edits=edits, content_type=content_types, path=st.sampled_from(("", "/batch")))
def test_edited_requests(client, engine, edits, content_type, path):
    body = bytearray(FORM)
    for place, new in edits:
        start = place % len(body)
        body[start : start + len(new)] = new

    response = send(client, f"/api/predict{path}", bytes(body), content_type)

    assert response.status_code in STATUSES
    assert codes_in(response.json()) <= CODES


@FEW
@given(seed=st.integers(0, 10**9), raw=st.booleans())
def test_damaged_photos_by_request(client, engine, seed, raw):
    photo = mutant(seed)
    body, content_type = (photo, "image/png") if raw else (multipart(part(data=photo)), None)

    response = send(client, "/api/predict", body, *([content_type] if raw else []))

    assert response.status_code in STATUSES
    assert codes_in(response.json()) <= CODES


@given(
    files=st.lists(st.lists(st.integers(0, 70), max_size=6), max_size=12),
    limit=st.integers(1, 100),
)
def test_files_in_any_chunks_are_whole_or_too_large(files, limit):
    with override_settings(PHOTO_MAX_BYTES=limit):
        handler, kept = BoundedMemoryHandler(), 0
        for lengths in files:
            handler.new_file("image", "a.jpg", "image/jpeg", None)
            sent = b""
            for length in lengths:
                handler.receive_data_chunk(bytes([length]) * length, len(sent))
                sent += bytes([length]) * length
            upload = handler.file_complete(len(sent))
            held = upload.file.getvalue()
            kept += len(held)
            assert held == sent if upload.size <= limit else held == b""
            assert upload.size >= len(sent)

        assert kept <= 8 * limit


@given(body=st.binary(max_size=300), limit=st.integers(1, 300))
def test_any_body_is_whole_or_too_large(body, limit):
    with override_settings(PHOTO_MAX_BYTES=limit):
        upload = read_body(io.BytesIO(body), "image/jpeg")

        assert upload.size == len(body)
        assert upload.file.getvalue() == (body if len(body) <= site.PHOTO_MAX_BYTES else b"")
        try:
            read_photo(upload)
        except PhotoError as error:
            assert (error.code == "too_large") == (len(body) > limit)
