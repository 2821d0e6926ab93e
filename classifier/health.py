"""Is this process alive, and can it answer: two questions, two addresses."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from classifier import serving


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process lives, whatever else is wrong: a reason to restart it if not."""
    return JsonResponse({"status": "alive"})


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 once a version is loaded and warm, else 503 with the reason."""
    ready, problem = serving.readiness()
    body = {"status": "ready" if ready else "not ready", "version": serving.live_version()}
    if problem:
        body["problem"] = problem
    response = JsonResponse(body, status=200 if ready else 503)
    if not ready:
        response["Retry-After"] = "1"
    return response
