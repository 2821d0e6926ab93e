"""On the real server: whatever clients do, threads see whole requests, and few photos at once."""

import contextlib
import io
import json
import os
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.site import running_site
from tests.photos import photo_bytes

pytestmark = pytest.mark.once

MODELS = Path(__file__).resolve().parents[2] / "models"
SECONDS = 60
FEW = {
    "CATSDOGS_MAX_WAIT": "0.5",
    "CATSDOGS_PHOTO_MAX_BYTES": "1000000",
    "CATSDOGS_PHOTO_THREADS": "1",
    "CATSDOGS_UPLOAD_BUFFER_BYTES": "2000000",
}
CLOSE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site"), MODELS, **FEW) as site:
        yield site


@pytest.fixture(scope="module", autouse=True)
def silent(site):
    """Connections on which nothing, or no more, is said from the beginning of these tests on."""
    with connect(site) as nothing, connect(site) as no_more:
        no_more.sendall(b"POST /api/predict HTTP/1.1\r\nHost")
        yield nothing, no_more


def long_to_decode():
    """A photo of few bytes and many pixels."""
    file = io.BytesIO()
    Image.new("1", (5000, 5000)).save(file, "PNG")
    return file.getvalue()


def request_of(body, *headers, path=b"/api/predict"):
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: localhost", b"Content-Type: image/jpeg"]
    lines += headers or (b"Content-Length: %d" % len(body),)
    return b"\r\n".join([*lines, b"", body])


def connect(site):
    host, port = site.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=SECONDS)


def read_all(connection):
    """What the server says until it closes the connection."""
    told = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            told += piece
    return told


def say(site, data):
    with connect(site) as connection:
        connection.sendall(data)
        return read_all(connection)


def statuses(told):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", told)]


def chunked(data, step=1000):
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])


def total(site, name, **labels):
    text = requests.get(f"{site.url}/metrics", timeout=SECONDS).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def wait_for(claim):
    pause, started = threading.Event(), time.monotonic()
    while not claim():
        assert time.monotonic() - started < SECONDS, "it did not come about"
        pause.wait(0.05)


def post(site, photo, path="/api/predict", **headers):
    headers = {"Content-Type": "image/png", **headers}
    return requests.post(site.url + path, data=photo, headers=headers, timeout=SECONDS)


def is_well(site):
    return requests.get(f"{site.url}/healthz", timeout=SECONDS).status_code == 200


def test_slow_uploads_and_half_open_connections_hold_nobody_up(site):
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            slow, half = (stack.enter_context(connect(site)) for _ in range(2))
            slow.sendall(request_of(photo_bytes())[:200])
            half.sendall(b"POST /api/predict HTTP/1.1\r\nHost")

        assert is_well(site)
        assert post(site, photo_bytes()).status_code == 201


def test_a_slow_upload_is_answered_once_it_is_whole(site):
    data = request_of(photo_bytes())
    with connect(site) as slow:
        for at in range(0, len(data), 300):
            slow.sendall(data[at : at + 300])
            assert is_well(site)
        slow.sendall(CLOSE)

        assert statuses(read_all(slow)) == [201, 200]


def test_requests_sent_without_waiting_are_answered_in_their_order(site):
    told = say(site, request_of(photo_bytes()) + request_of(b"oops") + CLOSE)

    assert statuses(told) == [201, 415, 200]


def test_a_photo_may_come_in_chunks(site):
    data = request_of(chunked(photo_bytes()), b"Transfer-Encoding: chunked")

    assert statuses(say(site, data + CLOSE)) == [201, 200]


@pytest.mark.parametrize(
    ("framing", "frame"),
    [(b"Content-Length: %d", bytes), (b"Transfer-Encoding: chunked", chunked)],
)
def test_a_client_that_waits_is_told_to_go_on(site, framing, frame):
    photo = photo_bytes()
    framing = framing % len(photo) if b"%" in framing else framing
    with connect(site) as client:
        client.sendall(request_of(b"", framing, b"Expect: 100-continue"))
        assert statuses(client.recv(1000)) == [100]
        client.sendall(frame(photo) + CLOSE)

        assert statuses(read_all(client)) == [201, 200]


def test_a_huge_body_is_read_to_its_end_and_told_so(site):
    told = say(site, request_of(b"x" * 1_500_000))

    assert statuses(told) == [413]
    assert json.loads(told.partition(b"\r\n\r\n")[2])["code"] == "too_large"


@pytest.mark.parametrize(
    "data",
    [
        request_of(b"", b"Content-Length: 1000000000000"),
        request_of(b"", b"Content-Length: 1500000", b"Expect: 100-continue"),
        request_of(chunked(b"x" * 1_500_000, step=100_000), b"Transfer-Encoding: chunked"),
    ],
)
def test_nobody_has_to_send_what_is_too_huge_anyway(site, data):
    assert statuses(say(site, data + CLOSE))[0] == 413


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
        (request_of(b"abcd", b"Content-Length: 4", b"Content-Length: 40"), 400),
        (request_of(b"0\r\n\r\n", b"Content-Length: 5", b"Transfer-Encoding: chunked"), 400),
        (request_of(b"zz\r\n", b"Transfer-Encoding: chunked"), 400),
        (request_of(b"", b"X: " + b"a" * 20_000), 431),
        (request_of(b"", b"Expect: a miracle"), 417),
    ],
)
def test_garbage_is_refused_and_its_connection_closed(site, data, status):
    told = say(site, data + CLOSE)

    assert statuses(told) == [status]
    assert b"Connection: close" in told


def test_memory_for_uploads_is_bounded_and_the_largest_make_room(site):
    body = b"x" * 900_000
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connect(site)) for _ in range(4)]
        for each in slow:
            each.sendall(request_of(body)[:-1])
        wait_for(lambda: is_well(site))
        answers = []
        for each in slow:
            each.sendall(b"x")
            answers += statuses(each.recv(1000))

    assert set(answers) == {415, 503}


@contextlib.contextmanager
def busy(site, photos):
    """While the one thread for photos looks at a batch, and has begun to; gives its answer."""
    before = total(site, "catsdogs_predictions_total")
    parts = [("image", long_to_decode())] * photos
    with ThreadPoolExecutor(1) as pool:
        address = f"{site.url}/api/predict/batch"
        batch = pool.submit(requests.post, address, files=parts, timeout=SECONDS)
        wait_for(lambda: total(site, "catsdogs_predictions_total") > before)
        yield batch


def test_a_flood_is_turned_away_at_once_and_nobody_looks_for_those_who_have_gone(site):
    asked = total(site, "catsdogs_predictions_total")
    refused = total(site, "catsdogs_refusals_total", code="overloaded")
    with contextlib.ExitStack() as stack:
        batch = stack.enter_context(busy(site, photos=20))
        for _ in range(3):
            with connect(site) as client:
                client.sendall(request_of(photo_bytes()))
        flood = [stack.enter_context(connect(site)) for _ in range(150)]
        for each in flood:
            each.sendall(request_of(photo_bytes()) + CLOSE)
        well, in_time = is_well(site), not batch.done()
        told = [read_all(each) for each in flood]
        assert batch.result().status_code == 200

    answers = [statuses(each)[0] for each in told]
    gone = total(site, "catsdogs_abandoned_total")
    refused = total(site, "catsdogs_refusals_total", code="overloaded") - refused
    assert (well, in_time) == (True, True)
    assert set(answers) <= {201, 503}
    assert answers.count(503) > 0
    assert gone > 0
    assert gone + refused == 3 + answers.count(503)
    assert total(site, "catsdogs_predictions_total") - asked == 20 + answers.count(201)
    assert total(site, "catsdogs_queue_waiting") == 0
    for each in told:
        if statuses(each)[0] == 503:
            assert re.search(rb"Retry-After: [1-9]", each)
            assert b'{"code": "overloaded", ' in each


def test_clients_that_say_nothing_are_let_go(silent):
    assert [read_all(each) for each in silent] == [b"", b""]


def test_a_server_that_is_told_to_stop_finishes_what_it_has_let_in(tmp_path):
    one_by_one = {"CATSDOGS_PHOTO_THREADS": "1", "CATSDOGS_MAX_WAIT": "30"}
    with running_site(tmp_path, MODELS, **one_by_one) as site, contextlib.ExitStack() as stack:
        idle = stack.enter_context(connect(site))
        idle.sendall(CLOSE.replace(b"close", b"keep-alive"))
        while b'alive"}' not in idle.recv(1000):
            pass
        batch = stack.enter_context(busy(site, photos=3))
        queued = [stack.enter_context(connect(site)) for _ in range(3)]
        for each in queued:
            each.sendall(request_of(photo_bytes()))
        assert is_well(site)

        os.kill(site.pid, signal.SIGTERM)

        assert batch.result().status_code == 200
        assert [statuses(read_all(each)) for each in queued] == [[201]] * 3
        assert read_all(idle) == b""
        with pytest.raises(requests.ConnectionError):
            wait_for(lambda: not is_well(site))
    log = site.log.read_text()
    assert "Traceback" not in log
    assert "SIGKILL" not in log
