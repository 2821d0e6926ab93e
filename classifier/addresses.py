"""Where a request comes from, as a keyed hash: no address is ever kept."""

from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle


def hashed_address(request: HttpRequest | Request, salt: str) -> str:
    """32 hexadecimal digits, the same for the same address and salt while `SECRET_KEY` stays."""
    address = BaseThrottle().get_ident(request)  # type: ignore[arg-type]  # knows NUM_PROXIES
    return salted_hmac(salt, address).hexdigest()[:32]
