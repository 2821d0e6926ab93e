"""What the server turns away is told in the words and shapes of everything else."""

import json

import pytest

from catsdogs import door
from catsdogs.door import Door
from classifier import admission
from classifier.telemetry import REFUSALS
from monitoring.requests import REQUESTS


def application(environ, start_response):
    start_response("200 OK", [])
    return [b"let in"]


@pytest.fixture
def ask():
    """Asks at the door, with a mark; gives status, headers and body."""

    def ask(refusal, path="/api/predict", method="POST", **environ):
        told = {}

        def start_response(status, headers):
            told["status"], told["headers"] = status, dict(headers)

        admission.mark(refusal)
        try:
            asked = {"PATH_INFO": path, "REQUEST_METHOD": method, **environ}
            body = b"".join(Door(application)(asked, start_response))
        finally:
            admission.mark(None)
        return told["status"], told["headers"], body

    return ask


def test_who_is_not_marked_is_let_in(ask):
    assert ask(None) == ("200 OK", {}, b"let in")


def test_the_api_is_told_in_the_contract_s_shape(ask):
    status, headers, body = ask(admission.overloaded(2.4), HTTP_X_REQUEST_ID="abc")

    assert status.startswith("503 ")
    assert set(json.loads(body)) == {"code", "detail", "field"}
    assert json.loads(body)["code"] == "overloaded"
    assert (headers["Retry-After"], headers["X-Request-ID"]) == ("2", "abc")
    assert headers["Content-Length"] == str(len(body))


def test_the_wait_is_told_in_whole_seconds_and_never_none(ask):
    assert ask(admission.overloaded(0.01))[1]["Retry-After"] == "1"


def test_the_page_gets_its_card(ask):
    status, headers, body = ask(admission.overloaded(1), "/classify/", HTTP_HX_REQUEST="true")

    assert status.startswith("503 ")
    assert body.strip().startswith(b'<article class="card refused"')
    assert admission.OVERLOADED_WORDS.encode() in body
    assert headers["Content-Type"].startswith("text/html")
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_browser_without_javascript_gets_a_page(ask):
    assert b"<!doctype html>" in ask(admission.overloaded(1), "/classify/")[2]


def test_a_file_too_large_is_told_with_its_size_and_not_to_try_again(ask):
    status, headers, body = ask(admission.too_large(30_000_000, 20_000_000))
    page = ask(admission.too_large(31_000_000, 20_000_000), "/classify/", HTTP_HX_REQUEST="true")

    assert status.startswith("413 ")
    assert json.loads(body)["code"] == "too_large"
    assert "Retry-After" not in headers
    assert b"31.0 MB" in page[2]
    assert b"try again" not in page[2]


def test_a_refusal_is_counted_as_one_and_as_a_request(ask):
    refused, requests = (
        REFUSALS.labels("overloaded"),
        REQUESTS.labels("api-predict", "POST", 503),
    )
    before = refused._value.get(), requests._value.get()

    ask(admission.overloaded(1))

    assert (refused._value.get(), requests._value.get()) == (before[0] + 1, before[1] + 1)


def test_what_is_no_photo_is_no_refused_photo(ask):
    before = REFUSALS.labels("too_large")._value.get()

    ask(admission.too_large(30_000_000, 20_000_000), "/api/feedback")

    assert REFUSALS.labels("too_large")._value.get() == before


HEAD = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"


def at_once(refusal, head=HEAD, keeps=True):
    return door.at_once(refusal, "api-predict", head, keeps=keeps)


@pytest.mark.parametrize("refusal", [admission.overloaded(3), admission.too_large(30 * 10**6, 20)])
def test_without_a_thread_the_answer_is_the_same(ask, refusal):
    status, headers, body = ask(refusal)
    head, _, told = at_once(refusal).partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    fields = dict(field.split(": ", 1) for field in fields)
    assert (line, told) == (f"HTTP/1.1 {status}", body)
    assert (fields.pop("Server"), fields.pop("Connection")) == ("gunicorn", "keep-alive")
    assert fields.pop("Date").endswith(" GMT")
    assert fields.pop("X-Request-ID") != headers.pop("X-Request-ID")
    assert fields == headers


def test_without_a_thread_it_is_counted_as_well():
    counters = (
        REFUSALS.labels("overloaded"),
        REQUESTS.labels("api-predict", "POST", 503),
    )
    door.write_down()  # what other tests were told
    before = [counter._value.get() for counter in counters]
    for _ in range(3):
        at_once(admission.overloaded(1))
    for _ in range(2):
        door.write_down()
    assert [counter._value.get() for counter in counters] == [number + 3 for number in before]


def test_a_connection_that_ends_is_told_so():
    assert b"\r\nConnection: close\r\n" in at_once(admission.overloaded(1), keeps=False)


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace(b"Host", b"Accept-Language: fr\r\nHost"),
        HEAD.replace(b"Host", b"cookie: a=b\r\nHost"),
        HEAD.replace(b"Host", b"x-request-ID: mine\r\nHost"),
        HEAD.replace(b"keep-alive", b"close"),
        HEAD.replace(b"1.1", b"1.0"),
        HEAD.replace(b"/api/", b"/cats/api/"),
        HEAD.replace(b"/api/predict", b"/classify/"),
    ],
)
def test_what_has_a_part_in_the_answer_is_left_to_a_thread(head):
    assert at_once(admission.overloaded(1), head) is None
