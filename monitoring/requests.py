"""Each request from outside in: its id, its line in the log, its place in the counts.

Outermost of the middleware, so that what the others answer by themselves is seen as well.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

from classifier import trace
from classifier.telemetry import REGISTRY
from classifier.trace import Trace

REQUESTS = Counter(
    "catsdogs_http_requests",
    "Requests answered, by the name of the address, the method and the status.",
    ["route", "method", "status"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "catsdogs_http_request_seconds",
    "Time to answer a request that was let in, by the name of the address.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0),
    registry=REGISTRY,
)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

logger = logging.getLogger("catsdogs.requests")


class Watched:
    """Middleware: gives a request its id, and tells the log and the counts what became of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        with trace.begin(request.META.get("HTTP_X_REQUEST_ID", "")) as traced:
            response = self.get_response(request)
            response[trace.HEADER] = traced.request_id
            _tell(request, response, traced, time.perf_counter() - started)
        return response


def route_of(request: HttpRequest) -> str:
    """The name of the address that was asked for: one of few, whatever is asked."""
    match = request.resolver_match
    if match is None:
        return "static" if request.path_info.startswith(settings.STATIC_URL) else "unknown"
    # The admin has some hundred addresses, which few ask for.
    return match.app_name or match.url_name or "unnamed"


def _tell(request: HttpRequest, response: HttpResponse, traced: Trace, seconds: float) -> None:
    route, status = route_of(request), response.status_code
    method = request.method if request.method in _METHODS else "other"
    count(route, method, status, seconds)
    level = logging.ERROR if status == 500 else logging.INFO
    if not logger.isEnabledFor(level):
        return
    told = {
        "method": method,
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "bytes_in": _bytes_in(request),
        **_noted(traced),
    }
    logger.log(
        level, "%s %s: %d in %.0f ms", method, route, status, seconds * 1000, extra={"fields": told}
    )


def count(
    route: str, method: str, status: int, seconds: float | None = None, *, number: int = 1
) -> None:
    """Count answered requests for Prometheus.

    Args:
        route: The name of their address: one of few.
        method: One of HTTP's, or "other".
        status: HTTP's.
        seconds: To answer; None where nothing was looked at, which says nothing about answers.
        number: How many.
    """
    REQUESTS.labels(route, method, status).inc(number)
    if seconds is not None:
        SECONDS.labels(route).observe(seconds)


def _noted(traced: Trace) -> dict[str, Any]:
    """What the work itself noted; what there was not is left out."""
    noted = {
        "person": traced.person,
        "version": traced.version,
        "decode_ms": round(traced.decode_ms, 1),
        "inference_ms": round(traced.inference_ms, 1),
        "refusals": traced.refusals,
    }
    return {name: value for name, value in noted.items() if value}


def _bytes_in(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
