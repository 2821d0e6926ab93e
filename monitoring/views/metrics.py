"""Doors of monitoring."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.throttling import BaseThrottle

from monitoring.metrics import CONTENT_TYPE, exposition

_SIGNS_OF_A_PROXY = (
    *("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"),
    "X-Real-IP",
)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """What Prometheus scrapes."""
    if not (_has_token(request) or _is_near(request)):
        words = _(
            "Metrics are for who sends 'Authorization: Bearer' with CATSDOGS_METRICS_TOKEN, "
            "or asks from one of CATSDOGS_METRICS_NETWORKS."
        )
        return HttpResponse(f"{words}\n", status=403, content_type="text/plain; charset=utf-8")
    return HttpResponse(exposition(), content_type=CONTENT_TYPE)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not settings.METRICS_TOKEN or scheme.lower() != "bearer":
        return False
    return constant_time_compare(token.strip(), settings.METRICS_TOKEN)


def _is_near(request: HttpRequest) -> bool:
    # Through a proxy that we were not told of, or that does not say for whom it asks, everybody
    # seems to ask from the proxy's own address.
    is_through_proxy = any(header in request.headers for header in _SIGNS_OF_A_PROXY)
    if is_through_proxy and not (settings.NUM_PROXIES and "X-Forwarded-For" in request.headers):
        return False
    try:
        # Knows NUM_PROXIES.
        address = ip_address(BaseThrottle().get_ident(request))  # type: ignore[arg-type]
        address = getattr(address, "ipv4_mapped", None) or address
    except ValueError:  # no address: a socket's client, or nonsense from a proxy
        return False
    return any(address in network for network in settings.METRICS_NETWORKS)
