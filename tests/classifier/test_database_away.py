"""On the real server, under load: whatever happens to PostgreSQL, what was acknowledged is stored.

Nothing is counted on but events: so many answers of a kind. `benchmarks.database_away` does the
same for longer.
"""

import os
import signal
import threading
from pathlib import Path

import pytest
import requests

from benchmarks.database_away import (
    clients,
    site_on,
    stored,
    wait_until,
    wait_until_arrived,
    waiting,
)
from benchmarks.postgres import running_postgres
from tests.photos import photo_bytes

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")

FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE 'could not extend file' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON classifier_prediction EXECUTE FUNCTION full_disk();
"""
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'site'"


@pytest.fixture(scope="module")
def postgres():
    with running_postgres() as postgres:
        yield postgres


@pytest.fixture(scope="module")
def site(postgres, tmp_path_factory):
    with site_on(postgres, tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def asked(site, postgres):
    """Clients that ask all the time; at the end, what they were told is what there is."""
    before = stored(postgres)
    with clients(site, 4) as asked:
        asked.wait_for_more(3, "stored")
        yield asked
    wait_until_arrived(site)
    rows = stored(postgres)
    assert len(rows) == len(set(rows))
    assert asked.repeated == []
    assert set(asked.logged) <= set(rows)
    if not asked.problems:
        assert set(asked.logged) == set(rows) - set(before)


def workers(site):
    return Path(f"/proc/{site.pid}/task/{site.pid}/children").read_text().split()


def test_it_is_killed_again_and_again(asked, postgres):
    for _ in range(3):
        postgres.kill()
        asked.wait_for_more(6, "spooled")
        postgres.start()
        asked.wait_for_more(6, "stored")

    assert asked.problems == []


def test_it_is_restarted(asked, postgres):
    postgres.stop()
    postgres.start()
    asked.wait_for_more(6, "stored")

    assert asked.problems == []


def test_it_stands_still(asked, postgres, site):
    postgres.freeze()
    try:
        asked.wait_for_more(8, "spooled")
        assert requests.get(f"{site.url}/healthz", timeout=30).ok
        assert requests.get(f"{site.url}/readyz", timeout=30).ok
        assert waiting(site) >= 8
    finally:
        postgres.thaw()
    asked.wait_for_more(6, "stored")

    assert asked.problems == []


def test_pages_say_so_and_hold_nobody_while_it_stands_still(site, postgres):
    assert requests.get(f"{site.url}/models", timeout=30).ok
    postgres.freeze()
    try:
        answers = [requests.get(f"{site.url}/models", timeout=30) for _ in range(6)]
    finally:
        postgres.thaw()
    wait_until(lambda: requests.get(f"{site.url}/models", timeout=30).ok)

    assert [answer.status_code for answer in answers] == [503] * 6


def test_metrics_say_so_while_it_stands_still_and_see_it_come_back(site, postgres):
    def is_up():
        shown = requests.get(f"{site.url}/metrics", timeout=30).text
        assert "\ncatsdogs_queue_waiting " in shown
        return "\ncatsdogs_database_up 1.0\n" in shown

    assert is_up()
    postgres.freeze()
    try:
        assert [is_up() for _ in range(6)] == [False] * 6
    finally:
        postgres.thaw()
    wait_until(is_up)


WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE usename = 'site' AND wait_event_type = 'Lock' AND now() - query_start > interval '1.5 s'
"""


def test_a_slow_page_is_waited_for_while_others_are_answered(site, postgres):
    """Three times the limit for an answer, and a third of the one for pages."""
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(requests.get(f"{site.url}/models", timeout=60))
    )
    with postgres.connected() as connection:
        connection.cursor().execute("LOCK TABLE feedback_trainingrun")
        asking.start()
        wait_until(lambda: postgres.execute(WAITING) == [(1,)])
    asking.join()

    assert answers[0].ok


def test_it_is_out_of_connections(asked, postgres):
    postgres.execute("ALTER ROLE site CONNECTION LIMIT 0")
    postgres.execute(CUT)
    asked.wait_for_more(6, "spooled")
    postgres.execute("ALTER ROLE site CONNECTION LIMIT -1")
    asked.wait_for_more(6, "stored")

    assert asked.problems == []


def test_its_disk_is_full(asked, postgres):
    postgres.execute(FULL)
    asked.wait_for_more(6, "spooled")
    postgres.execute("DROP FUNCTION full_disk CASCADE")
    asked.wait_for_more(6, "stored")

    assert asked.problems == []


def test_its_table_is_locked(asked, postgres):
    """As by a migration: it answers others, and rows need not wait for it."""
    with postgres.connected() as connection:
        connection.cursor().execute("LOCK TABLE classifier_prediction")
        asked.wait_for_more(6, "spooled")
    asked.wait_for_more(6, "stored")

    assert asked.problems == []


def test_a_worker_is_killed_with_rows_on_disk_and_the_next_starts_without_it(asked, postgres, site):
    postgres.stop()
    asked.wait_for_more(6, "spooled")
    (killed,) = workers(site)
    os.kill(int(killed), signal.SIGKILL)
    wait_until(lambda: workers(site) not in ([], [killed]))
    asked.wait_for_more(6, "spooled")
    ready = requests.get(f"{site.url}/readyz", timeout=30)
    postgres.start()
    asked.wait_for_more(6, "stored")

    assert ready.ok
    assert "was live when it was last asked" in ready.json()["problem"]
    # Of the requests that it had in hand nobody was told anything.
    assert [
        each for each in asked.problems if "Connection" not in each and "Remote" not in each
    ] == []


def test_what_needs_the_database_says_503_until_it_is_back(site, postgres):
    postgres.stop()
    photo, image = photo_bytes(), {"Content-Type": "image/jpeg"}
    predicted = requests.post(f"{site.url}/api/predict", photo, headers=image, timeout=30)
    prediction = predicted.json()
    places = prediction["links"]
    answers = [
        requests.get(places["self"], timeout=30),
        requests.get(places["receipt"], timeout=30),
        requests.post(
            places["feedback"], {"prediction": prediction["id"], "correct": "true"}, timeout=30
        ),
        requests.delete(places["self"], timeout=30),
    ]
    postgres.start()
    wait_until_arrived(site)

    assert (predicted.status_code, prediction["logged"]) == (200, "spooled")
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert answer.headers["Retry-After"]
    assert requests.get(places["self"], timeout=30).json()["logged"] == "stored"
    assert requests.get(places["receipt"], timeout=30).json()["id"] == prediction["id"]
