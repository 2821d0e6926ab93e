"""Which time and which version the insights page shows, as asked for in its address."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from classifier.models import ModelVersion
from monitoring.periods import Period

# Name -> words and length.
RANGES = {
    "hour": (gettext_lazy("Last hour"), timedelta(hours=1)),
    "day": (gettext_lazy("24 hours"), timedelta(days=1)),
    "week": (gettext_lazy("7 days"), timedelta(days=7)),
    "month": (gettext_lazy("30 days"), timedelta(days=30)),
}
_DEFAULT = "day"
# A plot of more would have more intervals than anybody can see.
_MOST_DAYS = 366
_FIRST, _LAST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)


class Choice(NamedTuple):
    """What a link leads to: its words, where to, and whether it is what is shown."""

    words: str
    query: str
    is_chosen: bool


class _LocalTime(forms.DateTimeInput):
    input_type = "datetime-local"

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, datetime):
            at = timezone.localtime(value) if timezone.is_aware(value) else value
            return at.strftime("%Y-%m-%dT%H:%M")
        return None if value is None else str(value)


class Picker(forms.Form):
    """`range`, or `since` and `until` in the site's time zone; and `version`, all of them if empty.

    What is not asked for or cannot be understood is the last 24 hours.
    """

    range = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Time"),
        choices=[(name, words) for name, (words, _length) in RANGES.items()],
    )
    since = forms.DateTimeField(
        required=False, label=pgettext_lazy("time", "From"), widget=_LocalTime
    )
    until = forms.DateTimeField(
        required=False, label=pgettext_lazy("time", "To"), widget=_LocalTime
    )
    version = forms.ModelChoiceField(
        ModelVersion.objects.order_by("-trained_at", "-name"),
        required=False,
        label=gettext_lazy("Version"),
        empty_label=gettext_lazy("All versions"),
        error_messages={
            "invalid_choice": gettext_lazy("There is no such version: choose one of the list.")
        },
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        # Beyond, the calendar overflows once a time zone or some days are taken off.
        if any(at and not _FIRST <= at <= _LAST for at in (since, until)):
            raise forms.ValidationError(_("Choose a time from 1971 to 2999."))
        if since and until and since >= until:
            raise forms.ValidationError(_("The time to look at ends before it begins."))
        ends = until or timezone.now()
        if since and not ends - timedelta(days=_MOST_DAYS) <= since < ends:
            raise forms.ValidationError(
                _("Choose a time that began in the past, of at most %(days)s days.")
                % {"days": _MOST_DAYS}
            )
        return cleaned

    def period(self, now: datetime) -> Period:
        """The one asked for; the last 24 hours where nothing was understood."""
        if not self.is_valid():
            return Period.last(RANGES[_DEFAULT][1], until=now)
        until = self.cleaned_data["until"] or now
        if since := self.cleaned_data["since"]:
            return Period(since, until)
        return Period.last(RANGES[self._range][1], until=until)

    @property
    def chosen_version(self) -> str | None:
        version = self.cleaned_data.get("version") if self.is_valid() else None
        return version.pk if version else None

    @property
    def query(self) -> str:
        """What is shown, for the address of a part of it."""
        return self._query() if self.is_valid() else ""

    @property
    def choices(self) -> list[Choice]:
        """A link for each range, with the same version."""
        rolling = self.rolling_range
        return [
            Choice(str(words), self._query(range=name, since="", until=""), name == rolling)
            for name, (words, _length) in RANGES.items()
        ]

    @property
    def rolling_range(self) -> str:
        """The range that ends now; empty where another time was asked for."""
        if not self.is_valid() or self.cleaned_data["since"] or self.cleaned_data["until"]:
            return ""
        return self._range

    @property
    def _range(self) -> str:
        return self.cleaned_data["range"] or _DEFAULT

    def _query(self, **changes: str) -> str:
        asked = {name: self.data.get(name, "") for name in self.fields} | changes
        if not self.is_valid():
            asked |= {name: "" for name in self.errors if name in asked and name not in changes}
        return urlencode({name: value for name, value in asked.items() if value})
