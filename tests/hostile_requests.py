"""Requests that mean harm: bodies, boundaries, lengths and names that no honest client sends.

`REQUESTS` names them with what `/api/predict` and `/api/predict/batch` answer: a code, or `None`
where there is a whole photo in it all the same.
"""

import gzip
import io

from tests.photos import photo_bytes

_BOUNDARY = b"a-boundary"
_MULTIPART = "multipart/form-data; boundary=a-boundary"
_JPEG = "image/jpeg"


class BrokenOff(io.BytesIO):
    """A connection that is reset once all that was sent has been read."""

    def read(self, size=-1):
        data = super().read(min(size, 500) if size > 0 else 500)
        if not data:
            raise ConnectionResetError("gone")
        return data


def multipart(*parts, end=b"--a-boundary--\r\n", boundary=_BOUNDARY):
    begun = (b"--" + boundary + b"\r\n" + head + b"\r\n\r\n" + body for head, body in parts)
    return b"\r\n".join(begun) + b"\r\n" + end


def part(name=b"image", filename=b"a.jpg", data=None, more=b""):
    """A file's part: its headers and its bytes."""
    disposition = b'Content-Disposition: form-data; name="' + name + b'"'
    filename = b'; filename="' + filename + b'"' if filename is not None else b""
    return disposition + filename + more, photo_bytes() if data is None else data


def _nested():
    inner = multipart(part(), boundary=b"inner", end=b"--inner--\r\n")
    return multipart(
        part(filename=None, data=inner, more=b"\r\nContent-Type: multipart/mixed; boundary=inner")
    )


def send(client, path, body, content_type=_MULTIPART, *, broken_off=False, **environment):
    """POST a body as it is. The length is the body's unless CONTENT_LENGTH is given."""
    stream = BrokenOff(body) if broken_off else io.BytesIO(body)
    environment = {
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": content_type,
        "wsgi.input": stream,
        **environment,
    }
    return client.generic("POST", path, **environment)


def _one(*args, **kwargs):
    return lambda: ((multipart(part(*args, **kwargs)),), {})


def _body(*args, **kwargs):
    return lambda: (args, kwargs)


_LARGE = b"\xff\xd8\xff" + bytes(25_000_000)

# Maker of arguments for `send`, code of /api/predict, code of /api/predict/batch.
REQUESTS = {
    "nothing": (_body(b""), "missing_image", "missing_image"),
    "an empty photo": (_body(b"", _JPEG), "empty_file", "missing_image"),
    "no content type": (_body(photo_bytes(), ""), "unsupported_format", "unsupported_format"),
    "text": (_body(photo_bytes(), "text/plain"), "unsupported_format", "unsupported_format"),
    "JSON": (
        _body(b'{"image": 1}', "application/json"),
        "unsupported_format",
        "unsupported_format",
    ),
    "a content type of junk": (_body(photo_bytes(), 'image/é;;;="'), None, "unsupported_format"),
    "an unknown charset": (
        _body(multipart(part()), _MULTIPART + "; charset=bogus-99"),
        None,
        None,
    ),
    "no boundary": (_body(multipart(part()), "multipart/form-data"), "invalid", "invalid"),
    "a boundary that is not ASCII": (
        _body(multipart(part()), "multipart/form-data; boundary=é"),
        "invalid",
        "invalid",
    ),
    "a boundary of 5,000 characters": (
        _body(multipart(part()), "multipart/form-data; boundary=" + "x" * 5000),
        "invalid",
        "unsupported_format",
    ),
    "another boundary than it says": (
        _body(multipart(part()), "multipart/form-data; boundary=other"),
        "missing_image",
        "missing_image",
    ),
    "a boundary never closed": (
        _body(multipart(part(), end=b"")),
        "missing_image",
        "missing_image",
    ),
    "a part cut short": (_body(multipart(part())[:300]), "missing_image", "missing_image"),
    "another field": (_one(name=b"other"), "missing_image", "missing_image"),
    "a text where the photo should be": (_one(filename=None), "missing_image", "missing_image"),
    "both fields, one of them twice": (
        _body(multipart(part(), part(name=b"file"), part())),
        None,
        None,
    ),
    "33 photos": (
        _body(multipart(*[part(data=b"x")] * 33)),
        "too_many_images",
        "too_many_images",
    ),
    "2,000 fields": (
        _body(multipart(*[part(filename=None, data=b"x")] * 2000)),
        "invalid",
        "invalid",
    ),
    "a text of 3 MB": (_one(filename=None, data=b"x" * 3_000_000), "too_large", "too_large"),
    "a part with headers of 1 MB": (
        _one(more=b"\r\nX-Y: " + b"z" * 1_000_000),
        "invalid",
        "invalid",
    ),
    "a file name of 1 MB": (_one(filename=b"z" * 1_000_000), "invalid", "invalid"),
    "NUL in the file name": (_one(filename=b"a\0b.jpg"), None, None),
    "a file name that climbs": (_one(filename=b"../../etc/passwd"), None, None),
    "a file name of dots": (_one(filename=b".."), "missing_image", "missing_image"),
    "a field name that is not UTF-8": (_one(name=b"\xff\xfe"), "missing_image", "missing_image"),
    "base64 that is none": (
        _one(data=b"A", more=b"\r\nContent-Transfer-Encoding: base64"),
        "invalid",
        "invalid",
    ),
    "a file name in no character set": (
        _one(filename=None, more=b"; filename*=bogus''%ff"),
        "missing_image",
        "missing_image",
    ),
    "a packed body": (
        _body(gzip.compress(photo_bytes()), _JPEG, HTTP_CONTENT_ENCODING="gzip"),
        "unsupported_format",
        "unsupported_format",
    ),
    "a length that is too long": (
        _body(multipart(part()), CONTENT_LENGTH="99999"),
        None,
        None,
    ),
    "a length that is too short": (
        _body(photo_bytes(), _JPEG, CONTENT_LENGTH="200"),
        "broken_image",
        "unsupported_format",
    ),
    "a length below zero": (
        _body(multipart(part()), CONTENT_LENGTH="-5"),
        "invalid",
        "invalid",
    ),
    "a length that is no number": (
        _body(multipart(part()), CONTENT_LENGTH="abc"),
        "missing_image",
        "missing_image",
    ),
    "a photo that breaks off": (
        _body(photo_bytes()[:500], _JPEG, broken_off=True, CONTENT_LENGTH="9999"),
        "invalid",
        "unsupported_format",
    ),
    "a form that breaks off": (
        _body(multipart(part())[:700], broken_off=True, CONTENT_LENGTH="9999"),
        "invalid",
        "invalid",
    ),
    "a form of 25 MB": (_one(data=_LARGE), "too_large", ["too_large"]),
    "a body of 25 MB": (_body(_LARGE, _JPEG), "too_large", "unsupported_format"),
    "a form in a form": (lambda: ((_nested(),), {}), "missing_image", "missing_image"),
    "cookies of junk": (
        _body(multipart(part()), HTTP_COOKIE="csrftoken=\xff; sessionid='\x01"),
        None,
        None,
    ),
}
