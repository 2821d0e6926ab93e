"""Whose token it is: asked for once in a while, remembered while the database is away."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from classifier import bearers as module
from classifier.bearers import REMEMBERED_SECONDS, TRUSTED_SECONDS, Bearers
from classifier.models import ApiToken
from tests.outage import database_away


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def bearers(clock):
    return Bearers(clock)


@pytest.fixture
def shared():
    """What the process remembers, forgotten before and after."""
    module.bearers.forget()
    yield
    module.bearers.forget()


def test_a_token_in_use_is_looked_up_once_in_five_seconds(
    db, bearers, clock, django_assert_num_queries
):
    token, secret = ApiToken.objects.issue("phone", last_used_at=timezone.now())

    with django_assert_num_queries(1):
        assert [bearers.find(secret) for _ in range(3)] == [token] * 3
    clock.now += TRUSTED_SECONDS
    with django_assert_num_queries(1):
        assert bearers.find(secret) == token


def test_a_revoked_token_is_refused_five_seconds_later(db, bearers, clock):
    token, secret = ApiToken.objects.issue("phone")
    assert bearers.find(secret) == token

    ApiToken.objects.update(revoked_at=timezone.now())
    clock.now += TRUSTED_SECONDS

    assert bearers.find(secret) is None


def test_a_scope_taken_away_is_gone_five_seconds_later(db, bearers, clock):
    _, secret = ApiToken.objects.issue("phone")
    assert bearers.find(secret).allows("erase")

    ApiToken.objects.update(may_erase=False)
    clock.now += TRUSTED_SECONDS

    assert not bearers.find(secret).allows("erase")


def test_an_expired_token_is_refused_at_once(db, bearers, monkeypatch):
    _, secret = ApiToken.objects.issue("phone", expires_at=timezone.now() + timedelta(hours=1))
    assert bearers.find(secret)

    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)

    assert bearers.find(secret) is None
    assert Bearers().find(secret) is None


def test_an_unknown_secret_is_looked_up_each_time(db, bearers, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert bearers.find("guessed") is None
        assert bearers.find("guessed") is None


def test_secrets_are_not_kept(db, bearers):
    _, secret = ApiToken.objects.issue("phone")
    bearers.find(secret)

    assert secret not in repr(vars(bearers)) + repr(vars(bearers.find(secret)))


def test_only_so_many_are_remembered(db, bearers, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(module, "REMEMBERED", 2)
    secrets = [ApiToken.objects.issue(name, last_used_at=timezone.now())[1] for name in "abc"]

    for secret in (secrets[0], secrets[1], secrets[0], secrets[2]):
        bearers.find(secret)

    with django_assert_num_queries(0):
        bearers.find(secrets[0])
        bearers.find(secrets[2])
    with django_assert_num_queries(1):
        bearers.find(secrets[1])


@pytest.mark.django_db(transaction=True)
def test_a_known_token_is_taken_while_the_database_is_away(bearers, clock):
    token, secret = ApiToken.objects.issue("phone")
    bearers.find(secret)

    with database_away():
        clock.now += REMEMBERED_SECONDS - 1
        assert bearers.find(secret) == token
        with pytest.raises(OperationalError):
            bearers.find("never seen")
        clock.now += 1
        with pytest.raises(OperationalError):
            bearers.find(secret)


@pytest.mark.django_db(transaction=True)
def test_a_token_revoked_meanwhile_is_refused_once_the_database_is_back(bearers, clock):
    _, secret = ApiToken.objects.issue("phone")
    bearers.find(secret)
    ApiToken.objects.update(revoked_at=timezone.now())

    clock.now += TRUSTED_SECONDS
    with database_away():
        assert bearers.find(secret)
    clock.now += 1

    assert bearers.find(secret) is None


@pytest.mark.django_db(transaction=True)
def test_a_database_that_failed_is_left_alone_for_a_second(
    bearers, clock, django_assert_num_queries
):
    token, secret = ApiToken.objects.issue("phone", last_used_at=timezone.now())
    bearers.find(secret)
    clock.now += TRUSTED_SECONDS
    with database_away():
        bearers.find(secret)

    with django_assert_num_queries(0):
        assert bearers.find(secret) == token
        with pytest.raises(OperationalError):
            bearers.find("never seen")
    clock.now += 1
    with django_assert_num_queries(1):
        assert bearers.find(secret) == token


@pytest.mark.django_db(transaction=True)
def test_the_api_says_503_to_a_token_it_cannot_look_up(client, engine, shared):
    _, secret = ApiToken.objects.issue("phone")

    with database_away():
        response = client.get("/api/models", headers={"Authorization": f"Bearer {secret}"})

    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert response["Retry-After"]


def test_the_last_use_is_noted_once_an_hour(db, bearers, clock, monkeypatch):
    token, secret = ApiToken.objects.issue("phone")
    start = timezone.now()
    noted = []
    for minutes in (0, 30, 59, 61):
        monkeypatch.setattr(
            "django.utils.timezone.now", lambda at=start + timedelta(minutes=minutes): at
        )
        clock.now += TRUSTED_SECONDS
        bearers.find(secret)
        token.refresh_from_db()
        noted.append((token.last_used_at - start) / timedelta(minutes=1))

    assert noted == [0, 0, 0, 61]


@pytest.mark.django_db(transaction=True)
def test_a_use_that_cannot_be_noted_is_one_all_the_same(bearers):
    token, secret = ApiToken.objects.issue("phone")
    with connection.cursor() as cursor:
        cursor.execute(
            "PRAGMA query_only = 1"
            if connection.vendor == "sqlite"
            else "SET default_transaction_read_only = on"
        )

    found = bearers.find(secret)
    connection.close()

    assert found == token
    token.refresh_from_db()
    assert token.last_used_at is None
