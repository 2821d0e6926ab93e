"""How many bytes a request has is read with certainty, or left to gunicorn's parser."""

import pytest

from catsdogs.arriving import Arriving, read_head

HEAD = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"
LINE = b"POST / HTTP/1.1\r\n"


def arriving(*pieces, since=0.0):
    request = Arriving(since)
    for piece in pieces:
        request.add(piece)
    return request


def test_a_head_tells_what_to_wait_for():
    head = read_head(HEAD)

    assert (head.method, head.target, head.length) == (b"POST", b"/api/predict", 4)
    assert (head.size, head.expects) == (len(HEAD), False)


def test_a_client_may_wait_to_be_told_to_go_on():
    assert read_head(LINE + b"EXPECT: 100-Continue\r\nContent-Length:4 \r\n\r\n").expects


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\ncontent-length: 5\r\n",
        b"Content-Length: 4, 4\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: -4\r\n",
        b"Content-Length: 0x4\r\n",
        b"Content-Length: 4_0\r\n",
        b"Content-Length: \xb2\r\n",
        b"Content-Length:\r\n",
        b"Content-Length: 9999999999999999\r\n",
        b"Content-Length : 4\r\n",
        b"X: y\r\n Content-Length: 4\r\n",
        b"X: y\r\n\tz\r\n",
        b"X: a\nContent-Length: 4\r\n",
        b"X: a\rContent-Length: 4\r\n",
        b"X: a\x00\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Expect: 200-ok\r\n",
        b"Upgrade: h2c\r\n",
        b"no colon\r\n",
        b": no name\r\n",
    ],
)
def test_whatever_could_be_read_in_two_ways_is_left_to_the_parser(head):
    assert read_head(LINE + head + b"\r\n") is None


@pytest.mark.parametrize(
    "line",
    [
        *(b"GARBAGE", b"GET /", b"GET  / HTTP/1.1", b"get / HTTP/1.1", b"GET / HTTP/2.0", b""),
        *(b"GET http://localhost/ HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET /\xff HTTP/1.1"),
        *(b"\r\nGET / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET /a b HTTP/1.1"),
    ],
)
def test_so_is_a_first_line_out_of_the_ordinary(line):
    assert read_head(line + b"\r\n\r\n") is None


@pytest.mark.parametrize("step", [1, 3, 50, 1000])
def test_a_request_is_whole_however_it_is_cut(step):
    data = HEAD + b"body"
    pieces = [data[at : at + step] for at in range(0, len(data), step)]

    assert not arriving(*pieces[:-1]).is_whole
    assert arriving(*pieces).is_whole


def test_what_follows_a_request_is_kept_apart():
    assert arriving(HEAD + b"bodyGET / HT").take() == (HEAD, b"body", b"GET / HT")


def test_a_bare_line_end_is_odd_before_the_head_ends():
    assert arriving(b"GET / HTTP/1.1\nHost").is_odd
    assert not arriving(b"GET / HTTP/1.1\r\nHost").is_odd


def test_a_head_has_a_length_that_it_does_not_exceed():
    assert not arriving(LINE + b"X: " + b"a" * 16_000).is_too_long
    assert arriving(LINE + b"X: " + b"a" * 17_000).is_too_long
    assert arriving(LINE + b"X: " + b"a" * 17_000 + b"\r\n\r\n").is_too_long


def test_what_the_parser_is_to_judge_may_have_a_long_body():
    request = arriving(LINE + b"Transfer-Encoding: chunked\r\n\r\n" + b"x" * 17_000)

    assert (request.is_odd, request.is_too_long) == (True, False)


def test_a_dropped_body_is_counted_to_its_end():
    request = arriving(HEAD + b"bo")

    request.drop()
    assert not request.is_whole

    request.add(b"dy")
    assert request.is_whole
    assert request.take() == (HEAD, b"", b"")


def test_a_head_has_ten_seconds():
    request = arriving(b"GET / HTTP/1.1\r\n", since=100.0)

    assert not request.is_late(110.0)
    assert request.is_late(110.1)


def test_a_body_may_be_slow_but_not_as_slow_as_it_likes():
    head = HEAD.replace(b": 4", b": 400000")
    slow = arriving(head, b"x" * 5000, since=100.0)
    fast = arriving(head, b"x" * 200_000, since=100.0)

    assert not slow.is_late(114.0)
    assert slow.is_late(115.0)
    assert not fast.is_late(115.0)
    assert fast.is_late(220.1)
