"""Networks, as a setting names them."""

from ipaddress import IPv4Network, IPv6Network, ip_network

from django.core.exceptions import ImproperlyConfigured


def read_networks(setting: str, texts: list[str]) -> list[IPv4Network | IPv6Network]:
    """Networks in the notation `10.0.0.0/8`; a single address is a network of one.

    Raises:
        ImproperlyConfigured: if one of them is none, with the setting's name.
    """
    try:
        return [ip_network(text.strip()) for text in texts if text.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{setting} names networks, separated by commas, such as 10.0.0.0/8: {error}"
        ) from error
