"""What every answer says to browsers, also where an error or a static file is the answer."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# The page asks for a file, never for a device.
_DEVICES = (
    *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer"),
    *("microphone", "midi", "payment", "publickey-credentials-get", "serial", "usb"),
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{device}=()" for device in _DEVICES),
}
# What says nothing else is for whoever asked, and stays in no cache. Static files, photos say more.
_CACHE_CONTROL = "private, no-store"


class Headers:
    """Middleware: as `HEADERS` has it, unless the answer says otherwise.

    Outside of Django's own, which are passed by where one of them finds the request at fault.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", _CACHE_CONTROL)
        return response
