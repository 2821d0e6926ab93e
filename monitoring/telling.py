"""Tell people: a mail, and a line in a chat, in the language of `ALERT_LANGUAGE`.

What goes wrong with that is named without any secret.
"""

import http.client
import json
import smtplib
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone, translation
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# Nobody waits longer for a mail server or a chat: the next check tries again.
TIMEOUT_SECONDS = 10.0

MAIL, CHAT = "mail", "chat"


class NotTold(Exception):
    """Nobody was told; the message says why and holds neither address nor password."""


@dataclass(frozen=True)
class News:
    """What is told.

    Attributes:
        key: Names the incident: mails on the same one are shown together.
        is_over: Whether it is over; else it has begun.
        severity: How bad it is.
        title: What is wrong.
        words: What was measured.
        do: What to do.
        rule: Which rule says so.
        since: When it was first seen.
        until: When it was over, if it is.
    """

    key: str
    is_over: bool
    severity: str
    title: str
    words: str
    do: str
    rule: str
    since: datetime
    until: datetime | None = None

    @property
    def subject(self) -> str:
        subjects = {
            "over": _("Over: %(title)s"),
            "critical": _("Critical: %(title)s"),
            "warning": _("Warning: %(title)s"),
            "info": _("Info: %(title)s"),
            "test": _("Test: %(title)s"),  # see `check_alerts`
        }
        return subjects["over" if self.is_over else self.severity] % {"title": self.title}

    @property
    def text(self) -> str:
        """The body of a mail."""
        if self.is_over and self.until:
            minutes = round((self.until - self.since).total_seconds() / 60)
            lasted = ngettext(
                "It is over since %(until)s, %(minutes)s minute after it began.",
                "It is over since %(until)s, %(minutes)s minutes after it began.",
                minutes,
            ) % {"until": _local(self.until), "minutes": minutes}
            seen = _("Last seen: %(words)s") % {"words": self.words}
            began = _("It began %(since)s.") % {"since": _local(self.since)}
            return f"{lasted}\n\n{seen}\n\n{began}\n"
        what_to_do = _("What to do: %(do)s") % {"do": self.do}
        seen = _("First seen %(since)s. You get one more mail, when it is over.") % {
            "since": _local(self.since)
        }
        more = _(
            "More in docs/alerts.md, under [%(rule)s]. To be left in peace for a while, add a "
            "silence in the admin."
        ) % {"rule": self.rule}
        return f"{self.words}\n\n{what_to_do}\n\n{seen}\n{more}\n"


def channels() -> list[str]:
    """Ways to tell people that are set up, of which there may be none."""
    found = [MAIL] if settings.ALERT_MAIL_TO else []
    return [*found, CHAT] if settings.ALERT_WEBHOOK else found


def tell(channel: str, news: News) -> None:
    """Tell one thing by one channel.

    Raises:
        NotTold: if it did not get through, or perhaps did not.
    """
    send = {MAIL: _mail, CHAT: _chat}[channel]
    try:
        with translation.override(settings.ALERT_LANGUAGE):
            send(news)
    except (OSError, ValueError, http.client.HTTPException) as error:
        # Libraries put addresses and passwords into their messages: only the kind is told.
        raise NotTold(_kind_of(error)) from None


def _mail(news: News) -> None:
    connection = get_connection(fail_silently=False)
    mail = EmailMessage(
        subject=f"[catsdogs] {news.subject}",
        body=news.text,
        from_email=settings.ALERT_MAIL_FROM,
        to=settings.ALERT_MAIL_TO,
        headers={
            # RFC 3834: no holiday reply comes back.
            "Auto-Submitted": "auto-generated",
            "In-Reply-To" if news.is_over else "Message-ID": f"<{news.key}@catsdogs.alerts>",
        },
        connection=connection,
    )
    try:
        mail.send()
    finally:
        connection.close()  # Django leaves it open where the server takes no password


class _StayHere(urllib.request.HTTPRedirectHandler):
    """No redirect is followed: the address that was checked is the one that is asked."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _chat(news: News) -> None:
    address: str = settings.ALERT_WEBHOOK
    text = f"{news.subject}\n{news.words}" + ("" if news.is_over else f"\n{news.do}")
    request = urllib.request.Request(  # noqa: S310  https or this machine: see catsdogs.webhooks
        address,
        data=json.dumps({"text": text}).encode(),
        headers={"Content-Type": "application/json", "User-Agent": "catsdogs"},
    )
    # On this machine there is no proxy to ask, whatever the environment says.
    proxies: dict[str, str] | None = None if address.startswith("https:") else {}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _StayHere)
    with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
        response.read(1024)


def _kind_of(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"the chat answered with status {error.code}"
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        error = error.reason
    code = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = ", ".join(sorted({str(refusal[0]) for refusal in error.recipients.values()}))
    return f"{type(error).__name__}{f' ({code})' if code else ''}"


def _local(at: datetime) -> str:
    # Translators: a moment in a mail, in the letters of Django's filter `date`.
    return format_date(timezone.localtime(at), _("Y-m-d H:i T"))
