"""The API's front door, and what is said at an address that is none."""

from typing import Any

from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse as absolute
from rest_framework.views import APIView

from classifier.errors import ApiError


class RootView(APIView):
    """Where to go from here."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        names = ("api-predict", "api-predict-batch", "api-feedback", "api-predictions")
        places = {name: absolute(name, request=request) for name in (*names, "api-models")}
        places["api-docs"] = absolute("api-docs", request=request)
        return Response({name.removeprefix("api-"): url for name, url in places.items()})


class NotFoundView(APIView):
    """An address under /api/ that is none: 404 in the shape of every error."""

    permission_classes = ()
    schema = None  # no endpoint

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise ApiError(
            gettext("There is nothing at %(path)s.") % {"path": request.path},
            code="not_found",
            status_code=404,
        )
