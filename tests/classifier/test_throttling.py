"""Nobody sends more than their share a minute; all workers count together, without the database."""

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from classifier import arrivals, throttling
from classifier.arrivals import Arrivals
from classifier.models import ApiToken, Prediction
from tests.photos import photo_bytes, photo_upload

NOW = 1_000_000.0
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def table(tmp_path):
    return Arrivals(tmp_path / "arrivals", b"key")


def admitted(table, times, name="ann", now=NOW, per_minute=60, number=1):
    return sum(table.ask(name, number, per_minute, now) == 0 for _ in range(times))


def test_a_minute_s_worth_may_come_at_once_and_no_more(table):
    assert admitted(table, 100) == 60


def test_it_is_told_when_the_next_one_may_come(table):
    admitted(table, 60)

    wait = table.ask("ann", 1, 60, NOW + 0.25)

    assert wait == pytest.approx(0.75)
    assert table.ask("ann", 1, 60, NOW + 0.25 + wait) == 0


def test_what_was_used_up_comes_back_evenly(table):
    admitted(table, 60)

    assert admitted(table, 100, now=NOW + 10) == 10
    assert admitted(table, 100, now=NOW + 1000) == 60


def test_what_was_refused_costs_nothing(table):
    admitted(table, 1000)

    assert table.ask("ann", 1, 60, NOW) == pytest.approx(1)


def test_a_batch_counts_its_photos(table):
    assert admitted(table, 10, number=32) == 1
    assert admitted(table, 100) == 28


def test_a_batch_beyond_the_limit_takes_all_of_it_and_is_not_refused_for_ever(table):
    assert admitted(table, 2, number=32, per_minute=10) == 1
    assert admitted(table, 2, number=32, per_minute=10, now=NOW + 60) == 1


def test_everybody_has_a_share_of_their_own(table):
    admitted(table, 100)

    assert admitted(table, 100, name="bob") == 60


def test_a_clock_that_is_set_back_shuts_nobody_out(table):
    admitted(table, 100, now=NOW)

    assert admitted(table, 100, now=NOW - 3600) == 60


def test_where_more_people_come_than_there_is_room_for_nothing_breaks(table, monkeypatch):
    monkeypatch.setattr(arrivals, "_BUCKETS", 1)

    for number in range(100):
        assert table.ask(f"somebody {number}", 1, 60, NOW + number) == 0
    assert admitted(table, 100, name="somebody 99", now=NOW + 99) == 59


def test_no_name_is_kept(table, tmp_path):
    admitted(table, 1, name="address:192.0.2.77")

    assert b"192.0.2.77" not in (tmp_path / "arrivals").read_bytes()
    assert (tmp_path / "arrivals").stat().st_mode & 0o077 == 0


ASK_OFTEN = """
import sys
from pathlib import Path
from classifier.arrivals import Arrivals
table = Arrivals(Path(sys.argv[1]), b"key")
sys.stdin.read(1)
print(sum(table.ask("ann", 1, 500, 1_000_000.0) == 0 for _ in range(400)))
"""


def test_processes_share_the_count_to_the_last_one(tmp_path):
    command = [sys.executable, "-c", ASK_OFTEN, str(tmp_path / "arrivals")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(subprocess.Popen(command, **pipes)) for _ in range(3)]
        for process in processes:  # all at once
            process.stdin.write("x")
            process.stdin.flush()
        told = [int(process.communicate()[0]) for process in processes]

    assert sum(told) == 500


def test_without_a_place_for_its_file_a_process_counts_alone(tmp_path, caplog):
    (tmp_path / "no folder").write_text("")

    assert admitted(Arrivals(tmp_path / "no folder" / "arrivals", b"key"), 100) == 60
    assert "Every process counts by itself" in caplog.text


@pytest.fixture
def limits(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    settings.PHOTOS_PER_MINUTE = 2
    settings.TOKEN_PHOTOS_PER_MINUTE = 3
    settings.FEEDBACK_PER_MINUTE = 1
    return settings


def statuses(times, post):
    return [post().status_code for _ in range(times)]


def ask(client, **headers):
    return client.post("/api/predict", {"image": photo_upload()}, headers=headers)


def test_the_api_refuses_with_a_code_and_when_to_come_back(client, engine, limits):
    assert statuses(3, lambda: ask(client)) == [201, 201, 429]

    refused = ask(client)

    assert refused.json()["code"] == "throttled"
    assert "2 photos a minute" in refused.json()["detail"]
    assert 1 <= int(refused.headers["Retry-After"]) <= 61
    assert Prediction.objects.count() == 2


def test_the_page_gets_a_card_with_words(client, engine, limits):
    def post():
        return client.post("/classify/", {"photo": photo_upload()}, headers={"HX-Request": "true"})

    assert statuses(2, post) == [201, 201]
    refused = post()

    assert refused.status_code == 429
    assert "2 photos a minute" in refused.text
    assert refused.text.strip().startswith('<article class="card refused"')
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_without_javascript_it_is_a_page(client, engine, limits):
    limits.PHOTOS_PER_MINUTE = 1
    client.post("/classify/", {"photo": photo_upload()})

    refused = client.post("/classify/", {"photo": photo_upload()})

    assert refused.status_code == 429
    assert "<!doctype html>" in refused.text


def test_dropping_cookies_helps_nobody(client_factory, engine, limits):
    def post():
        return client_factory().post("/classify/", {"photo": photo_upload()})

    assert statuses(3, post) == [201, 201, 429]


def test_who_comes_from_elsewhere_has_a_share_of_their_own(client_factory, engine, limits):
    statuses(3, lambda: ask(client_factory()))

    assert ask(client_factory(REMOTE_ADDR="192.0.2.1")).status_code == 201


def test_behind_a_proxy_addresses_are_told_apart_and_cannot_be_made_up(client, engine, limits):
    limits.NUM_PROXIES = 1
    limits.REST_FRAMEWORK = {**limits.REST_FRAMEWORK, "NUM_PROXIES": 1}
    made_up = iter(range(100))

    def post(address):
        return ask(client, **{"X-Forwarded-For": f"10.0.0.{next(made_up)}, {address}"})

    assert statuses(3, lambda: post("192.0.2.1")) == [201, 201, 429]
    assert post("192.0.2.2").status_code == 201


def test_a_token_has_a_limit_of_its_own(client, engine, limits):
    secret = ApiToken.objects.issue("a program")[1]

    def post():
        return ask(client, Authorization=f"Bearer {secret}")

    assert statuses(4, post) == [201, 201, 201, 429]


def test_a_batch_counts_every_photo(client, engine, limits):
    def post():
        return client.post("/api/predict/batch", {"image": [photo_upload(), photo_upload()]})

    assert statuses(2, post) == [200, 429]


def test_feedback_is_limited_too(client, engine, limits):
    prediction = ask(client).json()["id"]

    def post():
        return client.post("/api/feedback", {"prediction": prediction, "correct": True})

    assert statuses(2, post) == [201, 429]


def test_so_is_feedback_from_the_page(client, engine, limits):
    prediction = ask(client).json()["id"]

    def post():
        return client.post(f"/feedback/{prediction}/", {"label": "cat"})

    assert statuses(2, post) == [303, 429]


def test_0_is_no_limit(client, engine, limits):
    limits.PHOTOS_PER_MINUTE = 0

    assert statuses(5, lambda: ask(client)) == [201] * 5
    assert not (limits.VAR_DIR / "arrivals").exists()


def test_it_asks_the_database_for_nothing(rf, engine, limits):
    from django.contrib.auth.models import AnonymousUser

    request = rf.post("/api/predict", photo_bytes(), content_type="image/jpeg")
    request.user, request.session = AnonymousUser(), {}

    def away(*args):
        raise OperationalError("The database is away.")

    with connection.execute_wrapper(away):
        throttling.admit_photos(request)
        throttling.admit_photos(request)
        with pytest.raises(throttling.Throttled):
            throttling.admit_photos(request)
