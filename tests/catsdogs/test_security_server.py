"""The real server, in production's settings, asked over a socket by people who mean no good."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from benchmarks.site import running_site
from tests.photos import photo_bytes

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
SECRET_KEY = "known-to-nobody-but-this-test-" * 2
METRICS_TOKEN = "metrics-known-to-nobody"
# What no answer says, however it came about.
LEAKS = (
    *("Traceback", "SECRET_KEY", "INSTALLED_APPS", "root:x:0", "site-packages", "[project]"),
    *(str(ROOT), SECRET_KEY, METRICS_TOKEN),
)
REST = b"Connection: close\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\n"
OURS = b"Host: 127.0.0.1\r\n" + REST


def get(path, headers=OURS, method=b"GET", version=b"HTTP/1.1"):
    return b"%s %s %s\r\n%s\r\n" % (method, path, version, headers)


def post(path, headers, body=b"", length=None):
    length = str(len(body) if length is None else length).encode()
    return get(path, OURS + headers + b"Content-Length: " + length + b"\r\n", b"POST") + body


def form(*parts, boundary=b"b"):
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return b"Content-Type: multipart/form-data; boundary=" + boundary + b"\r\n", body


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    production = {
        **{"DEBUG": "false", "SECRET_KEY": SECRET_KEY, "CATSDOGS_METRICS_TOKEN": METRICS_TOKEN},
        **{"ALLOWED_HOSTS": "127.0.0.1", "NUM_PROXIES": "1", "CATSDOGS_API_ACCESS": "token"},
        **{"HTTPS": "true", "CATSDOGS_METRICS_NETWORKS": "10.0.0.0/8"},
    }
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
    places = {"CATSDOGS_VAR": str(folder), "DJANGO_SETTINGS_MODULE": "catsdogs.settings"}
    subprocess.run(collect, cwd=ROOT, env={**os.environ, **production, **places}, check=True)
    with running_site(folder, ROOT / "models", **production) as site:
        yield site


@pytest.fixture(scope="module")
def bearer(site):
    issue = "from classifier.models import ApiToken; print(ApiToken.objects.issue('me')[1])"
    secret = site.manage("shell", "--verbosity=0", "-c", issue).split()[-1]
    return b"Authorization: Bearer " + secret.encode() + b"\r\n"


def ask(site, raw, *, hang_up=False):
    """Send these bytes and return all that comes back until the server hangs up.

    Who sends no whole request hangs up first: the server would wait for its rest.
    """
    where = urlsplit(site.url)
    answer = b""
    with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
        try:
            connection.sendall(raw)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                answer += chunk
        except OSError as error:  # it hung up: it was told enough
            assert not isinstance(error, TimeoutError)
    return answer


def statuses(answer):
    return [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d{3})", answer)]


def leaks(answer):
    text = answer.decode("latin-1")
    return [leak for leak in LEAKS if leak in text]


@pytest.mark.parametrize(
    "head",
    [
        b"Host: evil.example\r\n",
        b"Host: evil.example:80\r\n",
        b"Host: 127.0.0.1@evil.example\r\n",
        b"Host: 127.0.0.1.evil.example\r\n",
        b"Host: evil.example/127.0.0.1\r\n",
        b"Host: evil.example#127.0.0.1\r\n",
        b"Host: evil.example\x00127.0.0.1\r\n",
        b"Host: 127.0.0.1\r\nHost: evil.example\r\n",
        b"Host: 127.0.0.1, evil.example\r\n",
        b"Host:\r\n",
    ],
)
def test_a_host_that_is_not_ours_is_refused(site, head):
    answer = ask(site, get(b"/admin/login/", head + REST))

    assert statuses(answer) in ([400], []), answer[:200]
    assert b"evil" not in answer
    assert leaks(answer) == []


@pytest.mark.parametrize(
    "raw",
    [
        get(b"/admin/", OURS + b"X-Forwarded-Host: evil.example\r\n"),
        get(b"/admin/", OURS + b"Forwarded: host=evil.example;proto=http\r\n"),
        get(
            b"/admin/",
            OURS + b"X-Original-URL: //evil.example\r\nX-Rewrite-URL: //evil.example\r\n",
        ),
        get(b"http://evil.example/admin/"),
        get(b"//evil.example/admin"),
        get(b"/\\evil.example/admin"),
        get(
            b"/admin", b"Host: 127.0.0.1\r\nConnection: close\r\nX-Forwarded-Host: evil.example\r\n"
        ),
        get(b"/admin/login/?next=https://evil.example/"),
        get(b"/api/models", OURS + b"X-Forwarded-Host: evil.example\r\n"),
    ],
    ids=lambda raw: raw[:40],
)
def test_nobody_is_sent_elsewhere(site, raw):
    answer = ask(site, raw)

    (status,) = statuses(answer)
    assert status < 500
    for place in re.findall(rb"(?im)^Location: (.*?)\r$", answer):
        assert re.match(rb"/(?![/\\])|https://127\.0\.0\.1[/:]", place), place
        assert b"//evil" not in place.replace(b"https://127.0.0.1/", b"", 1)


UPWARDS = (
    *(b"../", b"%2e%2e/", b"..%2f", b"%2e%2e%2f", b"%252e%252e%252f", b"..%5c", b"....//"),
    *(b"..;/", b"%c0%ae%c0%ae/", b"%00/../", b".%00./", b"..%00/", b"%u002e%u002e/", b"\\..\\"),
)


@pytest.mark.parametrize("up", UPWARDS, ids=lambda up: up.decode())
def test_no_path_leads_out_of_its_folder(site, bearer, up):
    inside = (b"/static/", b"/models/2026-11-26.2/figures/", b"/models/", b"/photos/", b"/")
    inside += (b"/api/models/", b"/admin/")
    for start in inside:
        for target in (b"catsdogs/settings.py", b"secret_key", b"card.json"):
            answer = ask(site, get(start + up + target, OURS + bearer))
            (status,) = statuses(answer)
            assert status < 500, (start, up, target)
            assert leaks(answer) == [], (start, up, target)
            assert b"weights_sha256" not in answer
    answer = ask(site, get(b"/static/" + up * 12 + b"etc/passwd"))
    assert leaks(answer) == []


@pytest.mark.parametrize(
    "raw",
    [
        get(b"/", OURS + b"X-Long: " + b"a" * 100_000 + b"\r\n"),
        get(b"/", OURS + b"".join(b"X-%d: a\r\n" % number for number in range(2000))),
        get(b"/", OURS + b"Cookie: " + b"; ".join([b"a=b"] * 1500) + b"\r\n"),
        get(b"/", OURS + b"Cookie: sessionid=" + b"\xff\x00\x01" + b"\r\n"),
        get(b"/", OURS + b"Cookie: visitor=" + b":" * 4000 + b"\r\n"),
        get(b"/" + b"a" * 100_000),
        get(b"/?" + b"a=b&" * 1500),
        get(b"/api/models/" + b"a" * 3000),
        get(b"/", OURS + b"X-Request-ID: one\r\n Set-Cookie: a=b\r\n"),
        get(b"/", OURS + b"X-Request-ID: one\rSet-Cookie: a=b\r\n"),
        get(b"/", OURS + b"X Request: a\r\n"),
        get(b"/", OURS + b": nothing\r\n"),
        get(b"/", OURS + b"Accept-Language: " + b"en," * 2000 + b"\r\n"),
        get(b"/", OURS + b"Range: bytes=0-0,-1,5-4,99999999999999999999-\r\n"),
        get(b"/static/logo.svg", OURS + b"Range: bytes=" + b"0-0," * 500 + b"\r\n"),
        get(b"/static/logo.svg", OURS + b"If-Modified-Since: \xff\r\n"),
        get(b"/privacy%0d%0aSet-Cookie:%20a=b"),
        get(b"/admin/?x=%0d%0aSet-Cookie:%20a=b"),
        get(b"/api/predictions?cursor=%00&since=%00&label=%00&version=%00"),
        get(b"/%ff%fe"),
        get(b"/\xff\xfe"),
        get(b"/\x00"),
        get(b"*", method=b"OPTIONS"),
        get(b"127.0.0.1:443", method=b"CONNECT"),
        *(get(b"/", method=method) for method in (b"TRACE", b"PROPFIND", b"get", b"G\x00T", b"")),
        *(get(b"/", method=method) for method in (b"PRI", b"A" * 5000, b"DELETE", b"PATCH")),
        *(get(b"/", version=version) for version in (b"HTTP/0.9", b"HTTP/2.0", b"HTTP/9", b"")),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        b"\r\n\r\n\r\n",
        b"GET",
        bytes(range(256)) * 20,
        b"PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n" + get(b"/"),
    ],
    ids=lambda raw: f"{raw[:24]}…{raw[-24:]}",
)
def test_no_nonsense_breaks_it(site, raw):
    answer = ask(site, raw, hang_up=True)

    assert all(status < 500 or status in (501, 505) for status in statuses(answer)), answer[:200]
    assert b"set-cookie: a=b" not in answer.lower()
    assert leaks(answer) == []


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 4_0\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    ],
)
def test_no_second_request_is_smuggled_in(site, head):
    inner = get(b"/api/schema")
    headers = (
        b"Host: 127.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\n" + head
    )
    answer = ask(site, get(b"/privacy", headers, b"POST") + b"0\r\n\r\n" + inner, hang_up=True)

    assert len(statuses(answer)) <= 1
    assert not any(status < 400 for status in statuses(answer))
    assert b"openapi" not in answer


PART = b'Content-Disposition: form-data; name="image"; filename="%s"\r\nContent-Type: %s\r\n\r\n%s'
FIELD = b'Content-Disposition: form-data; name="%s"\r\n\r\na'


@pytest.mark.parametrize(
    ("head", "body"),
    [
        form(PART % (b"../../../../etc/passwd", b"image/jpeg", b"oops")),
        form(PART % (b"a\x00.jpg", b"text/html", b"<script>alert(1)</script>")),
        form(PART % (b"a.php.jpg", b"application/x-php", b"<?php phpinfo(); ?>")),
        form(PART % (b"a" * 5000, b"image/svg+xml", b"<svg onload='alert(1)'/>")),
        form(*[FIELD % str(number).encode() for number in range(2000)]),
        form(*[PART % (b"a.jpg", b"image/jpeg", b"x")] * 100),
        form(b"X-Long: " + b"a" * 50_000 + b"\r\n\r\na"),
        form(b"\r\n\r\n"),
        form(FIELD % b"image", boundary=b"c"),
        form(FIELD % b"image", boundary=b"\xff" * 300),
        form(FIELD % b"image", boundary=b""),
        form(b"Content-Disposition: form-data; name=\"image\"; filename*=UTF-8''%FF%00\r\n\r\na"),
        form(b"Content-Transfer-Encoding: base64\r\n" + PART % (b"a.jpg", b"image/jpeg", b"&&&")),
        (b"Content-Type: multipart/form-data\r\n", b"a"),
        (b"Content-Type: image/svg+xml\r\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        (b"Content-Type: image/\xff\r\n", b"a"),
        (b"Content-Type: image/jpeg\r\nContent-Encoding: gzip\r\n", b"\x1f\x8b" + bytes(50)),
        (b"Content-Type: application/json\r\n", b"[" * 100_000),
        (b"Content-Type: application/x-www-form-urlencoded\r\n", b"a=b&" * 5000),
    ],
    ids=lambda each: str(each[:50]),
)
def test_no_upload_breaks_it(site, bearer, head, body):
    for path in (b"/api/predict", b"/api/predict/batch", b"/api/feedback"):
        answer = ask(site, post(path, bearer + head, body))
        (status,) = statuses(answer)
        assert 200 <= status < 500, answer[:300]
        assert status != 201
        assert leaks(answer) == []


def test_an_honest_photo_is_still_answered(site, bearer):
    answer = ask(
        site, post(b"/api/predict", bearer + b"Content-Type: image/jpeg\r\n", photo_bytes())
    )

    assert statuses(answer) == [201]
    assert b"Location: https://127.0.0.1/api/predictions/" in answer


def test_static_files_are_guarded_like_pages(site):
    page = requests.get(f"{site.url}/", headers={"X-Forwarded-Proto": "https"}, timeout=60)
    (style,) = re.findall(r'href="(/static/catsdogs\.\w+\.css)"', page.text)

    file = requests.get(site.url + style, headers={"X-Forwarded-Proto": "https"}, timeout=60)

    assert file.status_code == 200
    assert "immutable" in file.headers["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in file.headers
    same = set(file.headers) & set(page.headers)
    assert same >= {
        *("Content-Security-Policy", "Strict-Transport-Security", "X-Content-Type-Options"),
        *("X-Frame-Options", "Referrer-Policy", "Permissions-Policy"),
        *("Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy"),
    }


def test_figures_are_for_prometheus_and_no_proxy_s_client(site):
    answer = ask(site, get(b"/metrics", b"X-Forwarded-For: 10.1.1.1\r\n" + OURS))

    assert statuses(answer) == [403]
    allowed = ask(
        site, get(b"/metrics", OURS + f"Authorization: Bearer {METRICS_TOKEN}\r\n".encode())
    )
    assert b"catsdogs_" in allowed


def test_after_all_that_it_lives_and_its_log_tells_no_secret(site, bearer):
    assert statuses(ask(site, get(b"/healthz"))) == [200]

    log = site.log.read_text(errors="replace")
    assert [part[:1500] for part in re.split("Traceback", log)[1:]] == []
    for secret in (SECRET_KEY, METRICS_TOKEN, bearer.split()[-1].decode(), "192.0.2.1"):
        assert secret not in log
