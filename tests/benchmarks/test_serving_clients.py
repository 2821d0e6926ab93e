"""The benchmark's clients count what a server says, obey it, and send no photo twice."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.clients import ask
from benchmarks.photos import Upload, split
from ml.photos import decode_photo
from tests.heic import HEIC
from tests.photos import photo_bytes

ID = "0199f3c2-6c1e-7cc3-b7b1-0f4c5d2f7a10"


@contextmanager
def server(answer):
    """A server that answers by `answer(number, body)`: a status and headers, or None to hang up."""
    bodies, lock = [], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                bodies.append(body)
                number = len(bodies)
            said = answer(number)
            if said is None:
                self.close_connection = True
                return
            status, headers = said
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            text = f'{{"id": "{ID}"}}'.encode()
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{httpd.server_port}/api/predict", bodies
        finally:
            httpd.shutdown()
            thread.join()


def photos(count=3):
    return [split(photo_bytes((64 + i, 48)), "JPEG") for i in range(count)]


def test_each_photo_is_sent_once_in_turn_and_its_answer_is_counted():
    with server(lambda number: (201, {})) as (url, bodies):
        heard = ask(url, photos(), clients=2, number=7, seconds=30)

    assert heard.photos == 7
    assert heard.statuses == {201: 7}
    assert heard.ids == [ID] * 7
    assert sorted(decode_photo(body).width for body in bodies) == [64, 64, 64, 65, 65, 66, 66]
    assert len(set(bodies)) == 7


def test_a_refused_photo_is_sent_again():
    with server(lambda n: (503, {"Retry-After": "0"}) if n == 2 else (201, {})) as (url, bodies):
        heard = ask(url, photos(), clients=1, number=3, seconds=30)

    assert heard.statuses == {201: 3, 503: 1}
    assert heard.photos == 3
    assert bodies[1] == bodies[2]


def test_an_ended_connection_is_counted_and_no_answer():
    with server(lambda number: None if number == 1 else (201, {})) as (url, _):
        heard = ask(url, photos(), clients=1, number=3, seconds=30)

    assert (heard.dropped, heard.photos) == (1, 2)


def test_an_unforeseen_status_is_no_answer_and_is_quoted():
    with server(lambda number: (500, {})) as (url, _):
        heard = ask(url, photos(), clients=1, number=1, seconds=30)

    assert (heard.photos, heard.ids, heard.statuses) == (0, [], {500: 1})
    assert ID in heard.problems[0]


def test_a_form_holds_the_photo_in_the_field_image():
    with server(lambda number: (201, {})) as (url, bodies):
        ask(url, photos(), clients=1, number=1, seconds=30, body="form")

    assert b'name="image"; filename="photo.jpeg"' in bodies[0]
    start = bodies[0].index(b"\xff\xd8\xff")
    assert decode_photo(bodies[0][start : bodies[0].rindex(b"\r\n--")]).width == 64


@pytest.mark.parametrize(
    ("data", "kind"),
    [(photo_bytes(), "JPEG"), (photo_bytes(format="PNG"), "PNG"), (HEIC, "HEIC")],
    ids=["JPEG", "PNG", "HEIC"],
)
def test_a_number_changes_a_photos_bytes_and_nothing_that_is_seen(data, kind):
    upload = split(data, kind)

    first, second = decode_photo(upload.whole(1)), decode_photo(upload.whole(2))

    assert first.sha256 != second.sha256
    assert (first.pixels == decode_photo(data).pixels).all()
    assert (first.pixels == second.pixels).all()
    assert isinstance(upload, Upload)
