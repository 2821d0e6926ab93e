"""How many photos and opinions one caller may send a minute; beyond it, 429 and when to return."""

import time
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_noop
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from classifier.addresses import hashed_address
from classifier.arrivals import Arrivals
from classifier.callers import person_of
from classifier.words import said
from ml.sentences import Sentence

_TOO_MANY_PHOTOS = gettext_noop("That is more than %(number)s photos a minute.")
_TOO_MANY_OPINIONS = gettext_noop("That is more than %(number)s opinions a minute.")


def admit_photos(request: HttpRequest | Request, number: int = 1) -> None:
    """Let photos of a request in, or not.

    Args:
        request: Whose.
        number: How many photos.

    Raises:
        Throttled: if its caller has sent as many as anyone may.
    """
    person = person_of(request)
    is_token = person.startswith("token:")
    limit = settings.TOKEN_PHOTOS_PER_MINUTE if is_token else settings.PHOTOS_PER_MINUTE
    _admit(request, person, number, "photos", limit, _TOO_MANY_PHOTOS)


def admit_feedback(request: HttpRequest | Request) -> None:
    """Let one opinion in, or not.

    Raises:
        Throttled: if its caller has given as many as anyone may.
    """
    per_minute = settings.FEEDBACK_PER_MINUTE
    _admit(request, person_of(request), 1, "opinions", per_minute, _TOO_MANY_OPINIONS)


def _admit(
    request: HttpRequest | Request,
    person: str,
    number: int,
    what: str,
    per_minute: int,
    refusal: str,
) -> None:
    if not per_minute:
        return
    names = [f"{what} {person}"]
    if person.startswith("visitor:"):
        # Whoever drops their cookie is somebody new, but not somewhere else.
        names.append(f"{what} address:{hashed_address(request, 'classifier.callers')}")
    arrivals = _arrivals(settings.VAR_DIR)
    for name in names:
        if wait := arrivals.ask(name, number, per_minute, time.time()):
            raise Throttled(wait, said(Sentence(refusal, number=per_minute)))


@cache
def _arrivals(folder: Path) -> Arrivals:
    return Arrivals(folder / "arrivals", settings.SECRET_KEY.encode())
