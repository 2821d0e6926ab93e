"""Addresses that chats give out, as a setting names them. They are as secret as a password."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def read_webhook(setting: str, address: str) -> str:
    """An address to post to: over TLS, or on this machine; empty: none.

    Raises:
        ImproperlyConfigured: if it is anything else. It names the setting, never the address.
    """
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    is_plain = address.isascii() and address.isprintable() and " " not in address
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))
    if not (is_plain and is_safe and host):
        raise ImproperlyConfigured(
            f"{setting} is an address such as https://chat.example.org/hooks/…, or http:// on this "
            "machine (127.0.0.1). What was given is neither; it is not repeated here because it "
            "may hold a secret."
        )
    return address


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
