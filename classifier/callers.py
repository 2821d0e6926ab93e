"""Who is asking, and may they: users, visitors of the page, bearers of tokens."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.translation import gettext
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from classifier import trace
from classifier.addresses import hashed_address
from classifier.bearers import bearers
from classifier.models import ApiToken, Prediction, PredictionQuerySet
from classifier.visitors import visitor_of

if TYPE_CHECKING:  # DRF imports this module by name while its views are still loading
    from rest_framework.views import APIView


def person_of(request: HttpRequest | Request) -> str:
    """A name for whoever asks, the same one each time: theirs are their predictions.

    `user:…` when logged in, `token:…` with an API token, `visitor:…` with the page's cookie, else
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
    if visitor := visitor_of(request):
        return f"visitor:{visitor}"
    return f"address:{hashed_address(request, 'classifier.callers')}"


def visible_to(request: HttpRequest | Request) -> PredictionQuerySet:
    """The predictions that whoever asks may see: staff all, others their own."""
    predictions = Prediction.objects.select_related("version")
    if request.user.is_authenticated and request.user.is_staff:
        return predictions
    return predictions.of(person_of(request))


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer …`, with a token made in the admin."""

    def authenticate(self, request: Request | HttpRequest) -> tuple[AnonymousUser, ApiToken] | None:
        scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = bearers.find(secret.strip())
        if token is None:
            raise exceptions.AuthenticationFailed(
                gettext("This token is unknown, revoked or expired.")
            )
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


# What a token must be allowed to; for other methods, the view says it in its `scope`.
_SCOPES = {"GET": "read", "HEAD": "read", "OPTIONS": "read", "DELETE": "erase"}


class MayCall(permissions.BasePermission):
    """Bearers of a token as far as its scopes go; else logged-in users, or all if it is open."""

    message: str

    def has_permission(
        self, request: Request | HttpRequest, view: "APIView | type[APIView]"
    ) -> bool:
        token = getattr(request, "auth", None)
        if isinstance(token, ApiToken):
            return self._is_in_scope(token, request.method or "", view)
        return settings.API_ACCESS == "open" or request.user.is_authenticated

    def _is_in_scope(self, token: ApiToken, method: str, view: "APIView | type[APIView]") -> bool:
        if not hasattr(view, method.lower()):  # for any token a 405
            return True
        scope = _SCOPES.get(method) or str(getattr(view, "scope", ""))
        self.message = gettext("This token lacks the scope %(scope)s.") % {"scope": repr(scope)}
        return bool(scope) and token.allows(scope)
