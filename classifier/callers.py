"""Who is asking, and may they: users, visitors of the page, bearers of tokens."""

import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from classifier import trace
from classifier.models import ApiToken, Prediction, PredictionQuerySet

if TYPE_CHECKING:  # DRF imports this module by name while its views are still loading
    from rest_framework.views import APIView

_VISITOR = "visitor"


def person_of(request: HttpRequest | Request) -> str:
    """A name for whoever asks, the same one each time: theirs are their predictions.

    `user:…` when logged in, `token:…` with an API token, `visitor:…` with the page's session, else
    `address:…`, a keyed hash: no address is ever stored.
    """
    person = _name_of(request)
    trace.current().person = person.partition(":")[0]
    return person


def _name_of(request: HttpRequest | Request) -> str:
    if request.user.is_authenticated:
        return f"user:{request.user.pk}"
    token = getattr(request, "auth", None)
    if isinstance(token, ApiToken):
        return f"token:{token.pk}"
    if visitor := request.session.get(_VISITOR):
        return f"visitor:{visitor}"
    address = BaseThrottle().get_ident(request)  # type: ignore[arg-type]  # knows NUM_PROXIES
    return f"address:{salted_hmac('classifier.callers', address).hexdigest()[:32]}"


def remember_visitor(request: HttpRequest) -> None:
    """Give a visitor of the page a random name in their session, if they have none yet."""
    if _VISITOR not in request.session:
        request.session[_VISITOR] = secrets.token_hex(16)


def visible_to(request: HttpRequest | Request) -> PredictionQuerySet:
    """The predictions that whoever asks may see: staff all, others their own."""
    predictions = Prediction.objects.select_related("version")
    if request.user.is_authenticated and request.user.is_staff:
        return predictions
    return predictions.of(person_of(request))


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer …`, with a token made in the admin."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiToken] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = ApiToken.objects.find(secret.strip())
        if token is None:
            raise exceptions.AuthenticationFailed("This token is unknown or revoked.")
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class MayCall(permissions.BasePermission):
    """Everyone where the API is open, else logged-in users and bearers of a token."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if settings.API_ACCESS == "open" or request.user.is_authenticated:
            return True
        return isinstance(request.auth, ApiToken)
