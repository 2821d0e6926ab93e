"""Logging in: who guesses is stopped, nobody else is, and nobody learns which names there are."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.utils import timezone

from classifier.lockout import TRIES, WAIT, LoginTries

URL = "/admin/login/"


@pytest.fixture
def ada(django_user_model):
    return django_user_model.objects.create_user("ada", password="right", is_staff=True)


def log_in(client, name="ada", typed="wrong", **how):
    return client.post(URL, {"username": name, "password": typed, "next": "/admin/"}, **how)


def lock_out(client, name="ada", **how):
    for _ in range(TRIES):
        assert log_in(client, name, **how).status_code == 200
    assert log_in(client, name, **how).status_code == 429


def test_after_five_wrong_passwords_even_the_right_one_opens_nothing(client, ada):
    lock_out(client)

    refused = log_in(client, typed="right")

    assert refused.status_code == 429
    assert refused["Retry-After"] == str(int(WAIT.total_seconds()))
    assert "Wait 15 minutes" in refused.text
    assert client.get("/admin/").status_code == 302


def test_the_wait_ends(client, ada):
    lock_out(client)

    LoginTries.objects.update(since=timezone.now() - WAIT)

    assert log_in(client, typed="right").status_code == 302


def test_trying_on_does_not_make_the_wait_longer(client, ada):
    lock_out(client)
    LoginTries.objects.update(since=timezone.now() - WAIT + timedelta(minutes=1))
    since = LoginTries.objects.get().since

    log_in(client)

    assert LoginTries.objects.get().since == since


def test_another_name_and_another_address_are_not_locked_out(client, ada, django_user_model):
    django_user_model.objects.create_user("bob", password="his", is_staff=True)
    lock_out(client)

    assert log_in(client, "bob", "his").status_code == 302
    assert log_in(client, typed="right", REMOTE_ADDR="203.0.113.9").status_code == 302


def test_who_gets_in_begins_anew(client, ada):
    for _ in range(2):
        for _ in range(TRIES - 1):
            assert log_in(client).status_code == 200
        assert log_in(client, typed="right").status_code == 302
        client.post("/admin/logout/")


def test_behind_a_proxy_the_address_is_the_one_the_proxy_saw(client, ada, settings):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}

    def at(address, claimed="192.0.2.1"):
        return {"headers": {"X-Forwarded-For": f"{claimed}, {address}"}}

    for number in range(TRIES):  # whatever the guesser claims to be
        assert log_in(client, **at("203.0.113.7", f"192.0.2.{number}")).status_code == 200
    assert log_in(client, typed="right", **at("203.0.113.7")).status_code == 429
    assert log_in(client, typed="right", **at("203.0.113.8")).status_code == 302


def test_without_a_proxy_nobody_chooses_their_address(client, ada):
    for number in range(TRIES):
        log_in(client, headers={"X-Forwarded-For": f"192.0.2.{number}"})

    assert log_in(client, headers={"X-Forwarded-For": "192.0.2.99"}).status_code == 429


def test_nobody_learns_which_names_there_are(client, ada, django_user_model):
    django_user_model.objects.create_user("plain", password="right")
    django_user_model.objects.create_user("gone", password="right", is_active=False)

    def said(name, typed="wrong"):
        page = log_in(client, name, typed)
        text = re.sub(r'value="[^"]*"|Request [\w-]+', "", page.text)
        return page.status_code, sorted(page.headers), text

    assert said("ada") == said("nobody") == said("plain", "right") == said("gone", "right")


def test_names_that_are_not_there_are_locked_out_too(client, ada):
    lock_out(client, "nobody")


def test_neither_names_nor_addresses_are_kept(client, ada):
    log_in(client, "secret-typed-as-a-name")

    kept = LoginTries.objects.get()
    assert re.fullmatch(r"[0-9a-f]{64}", kept.who)


def test_old_tries_are_thrown_away(client, ada):
    log_in(client, "first")
    LoginTries.objects.update(since=timezone.now() - WAIT)

    log_in(client, "second")

    assert LoginTries.objects.count() == 1


def test_a_command_is_never_locked_out(ada):
    for _ in range(TRIES + 1):
        assert authenticate(username="ada", password="wrong") is None

    assert authenticate(username="ada", password="right") == ada


def test_a_login_leads_nowhere_else(client, ada):
    said = {"username": "ada", "password": "right", "next": "https://example.org/"}

    answer = client.post(URL, said)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_a_login_changes_the_session_s_name(client, ada):
    before = client.session
    before["skipped"] = []
    before.save()
    client.cookies["sessionid"] = before.session_key

    log_in(client, typed="right")

    assert client.cookies["sessionid"].value != before.session_key
