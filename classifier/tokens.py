"""Tokens that may call the API: what each may do, until when, and when it last did."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

# What a token may be allowed to do, and what the admin says of it.
SCOPES = {
    "predict": "send photos and get answers",
    "feedback": "say whether an answer was right",
    "read": "read its own predictions, the versions, the statistics",
    "erase": "erase its own predictions with their photos",
}
# Finer than that nobody needs to know, and every use would be a write.
_NOTED_EVERY = timedelta(hours=1)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def issue(self, name: str, **changes: Any) -> tuple["ApiToken", str]:
        """A new token and its secret text, which is kept nowhere: show it once."""
        secret = f"catsdogs_{secrets.token_urlsafe(32)}"
        return self.create(name=name, digest=digest_of(secret), **changes), secret

    def valid(self, now: datetime) -> "ApiTokenQuerySet":
        """Neither revoked nor expired."""
        unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
        return self.filter(unexpired, revoked_at__isnull=True)

    def find(self, secret: str) -> "ApiToken | None":
        """The valid token with this secret text. `classifier.bearers` is what requests ask."""
        return self.valid(timezone.now()).filter(digest=digest_of(secret)).first()

    def note_use(self, token: "ApiToken", now: datetime) -> None:
        """Write down that a token was used, unless that was done within the last hour."""
        if token.last_used_at and token.last_used_at > now - _NOTED_EVERY:
            return
        self.filter(pk=token.pk).update(last_used_at=now)
        token.last_used_at = now


class ApiToken(models.Model):
    """The right to call the API. Only a digest is stored: a stolen table opens nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, help_text="Whose it is, or what calls with it.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    may_predict = models.BooleanField(default=True, help_text=f"May {SCOPES['predict']}.")
    may_feedback = models.BooleanField(
        "may give feedback", default=True, help_text=f"May {SCOPES['feedback']}."
    )
    may_read = models.BooleanField(default=True, help_text=f"May {SCOPES['read']}.")
    may_erase = models.BooleanField(default=True, help_text=f"May {SCOPES['erase']}.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="From when it opens nothing; empty: never."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(
        "last used", null=True, blank=True, editable=False, help_text="To the hour."
    )

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "API token"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def allows(self, scope: str) -> bool:
        """Whether it may do what `SCOPES` calls so."""
        return bool(getattr(self, f"may_{scope}"))

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


def digest_of(secret: str) -> str:
    # A random text of 256 bits needs no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()
