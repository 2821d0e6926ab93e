"""A French whose every translation is marked, and who sees the site in it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.translations.marking import mark
from tests.translations.reading import bare_words, left_over


@pytest.fixture
def marked(monkeypatch):
    mark(monkeypatch, "fr")


@pytest.fixture
def visitor(marked, db):
    return french()


@pytest.fixture
def staff(marked, db):
    client = french()
    client.force_login(User.objects.create_superuser("ada", password="ada-s password"))
    return client


def french(**how):
    """A client whose browser speaks French."""
    return Client(raise_request_exception=False, headers={"Accept-Language": "fr"}, **how)


@pytest.fixture
def assert_translated():
    """Fails where an answer, be it a page or an error of the API, says what nobody translated."""

    def check(response):
        assert untranslated(response) == []

    return check


def untranslated(response):
    """What an answer says to people that nobody translated."""
    kind, text = response.headers.get("Content-Type", ""), response.content.decode()
    if kind.startswith("application/json"):
        return left_over(response.json().get("detail", ""))
    if not kind.startswith("text/html"):
        return left_over(text)
    is_french = '<html lang="fr"' in text or "<html" not in text
    return bare_words(text) if is_french else ["<html>, which does not say that it is French"]
