"""Who has tried too many passwords: counted by name and address, so nobody locks out others.

The names and addresses themselves are not kept, only a keyed hash of both.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import F
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from classifier.addresses import hashed_address

TRIES = 5
WAIT = timedelta(minutes=15)
_MOMENT = timedelta(microseconds=1)

logger = logging.getLogger(__name__)


class LoginTriesQuerySet(models.QuerySet["LoginTries"]):
    def note(self, who: str, now: datetime) -> int:
        """Count one more try of a password and return how many that makes.

        Counted before the password is looked at: many tries at once pass the limit no further.
        """
        # Nor those of hours to come, from a clock that was put back: they would last for hours.
        self.exclude(since__range=(now - WAIT + _MOMENT, now + WAIT)).delete()
        self.get_or_create(who=who, defaults={"since": now})
        self.filter(who=who).update(tries=F("tries") + 1)
        return self.filter(who=who).values_list("tries", flat=True).first() or 1

    def forget(self, who: str) -> None:
        self.filter(who=who).delete()


class LoginTries(models.Model):
    """How often somebody tried to log in since the first try, without success."""

    who = models.CharField(max_length=64, primary_key=True)
    since = models.DateTimeField(db_index=True)
    tries = models.PositiveIntegerField(default=0)

    objects = LoginTriesQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "login tries"

    def __str__(self) -> str:
        return f"{self.tries} since {self.since:%H:%M}"


class LockOut:
    """Authentication backend, before all others: lets nobody in, and some not even try.

    On the request of who may not try, `is_locked_out` is true.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, **credentials: Any
    ) -> None:
        if request is None or username is None:  # a command, or no name to try
            return
        tries = LoginTries.objects.note(_who(request, username), timezone.now())
        if tries <= TRIES:
            return
        request.is_locked_out = True  # type: ignore[attr-defined]
        if tries == TRIES + 1:  # once: a flood of tries is no flood of lines
            logger.warning("A login is locked out after %d wrong passwords.", TRIES)
        raise PermissionDenied


@receiver(user_logged_in)
def _forget(request: HttpRequest | None, user: AbstractBaseUser, **rest: Any) -> None:
    if request is not None and request.META.get("REMOTE_ADDR"):
        LoginTries.objects.forget(_who(request, user.get_username()))


def _who(request: HttpRequest, name: str) -> str:
    address = hashed_address(request, "classifier.lockout")
    both = salted_hmac("classifier.lockout", f"{address} {name}", algorithm="sha256")
    return both.hexdigest()
