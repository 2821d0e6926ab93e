"""Pages for staff: everybody else is sent to log in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from classifier.views import HtmxHttpRequest


class StaffRequest(HtmxHttpRequest):
    user: User


def staff_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Send everybody else to log in, and htmx along: it would show the form inside our page."""

    @wraps(view)
    def guarded(request: HtmxHttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_active and request.user.is_staff:
            return view(request, *args, **kwargs)
        if request.htmx:
            back = request.htmx.current_url_abs_path or reverse("home")
            return HttpResponseClientRedirect(redirect_to_login(back, reverse("admin:login")).url)
        back = request.get_full_path() if request.method == "GET" else reverse("home")
        return redirect_to_login(back, reverse("admin:login"))

    return guarded
