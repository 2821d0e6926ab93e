"""A chat's address is over TLS or on this machine, and is never shown."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from catsdogs.webhooks import read_webhook


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://chat.example.org/hooks/abc?x=1",
        "https://10.0.0.3:8443/hooks",
        "http://127.0.0.1:9000/hooks",
        "http://localhost/hooks",
        "http://[::1]:9000/hooks",
    ],
)
def test_it_is_taken_as_it_is(address):
    assert read_webhook("NAME", address) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://chat.example.org/secret",
        "http://localhost.example.org/secret",
        "http://127.0.0.1.example.org/secret",
        "http://127.0.0.1@example.org/secret",
        "http://10.0.0.3/secret",
        "ftp://127.0.0.1/secret",
        "file:///secret",
        "https:///secret",
        "https://[secret/",
        "https://chat.example.org:port/secret",
        "https://chat.example.org/a secret",
        "https://chat.example.org/secret\nX-Header: 1",
        "chat.example.org/secret",
    ],
)
def test_it_is_refused_without_being_repeated(address):
    with pytest.raises(ImproperlyConfigured, match="NAME is an address") as refused:
        read_webhook("NAME", address)

    assert address not in str(refused.value)
