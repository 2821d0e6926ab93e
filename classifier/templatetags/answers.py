"""Say what was answered the way a careful person would: in words, never quite certain."""

import math
from collections.abc import Iterable
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.formats import number_format
from django.utils.translation import gettext, pgettext, pgettext_lazy

from classifier.naming import label_name
from ml.explain import Heat

register = template.Library()
register.filter(label_name)

# Where the heat is, by the name that `Heat.where` has for it.
_WHERE = {
    "left": pgettext_lazy("is mostly … of the photo", "on the left side"),
    "right": pgettext_lazy("is mostly … of the photo", "on the right side"),
    "upper": pgettext_lazy("is mostly … of the photo", "in the upper part"),
    "lower": pgettext_lazy("is mostly … of the photo", "in the lower part"),
    "middle": pgettext_lazy("is mostly … of the photo", "in the middle"),
    "upper left": pgettext_lazy("is mostly … of the photo", "in the upper left"),
    "upper middle": pgettext_lazy("is mostly … of the photo", "in the upper middle"),
    "upper right": pgettext_lazy("is mostly … of the photo", "in the upper right"),
    "middle left": pgettext_lazy("is mostly … of the photo", "in the middle left"),
    "middle right": pgettext_lazy("is mostly … of the photo", "in the middle right"),
    "lower left": pgettext_lazy("is mostly … of the photo", "in the lower left"),
    "lower middle": pgettext_lazy("is mostly … of the photo", "in the lower middle"),
    "lower right": pgettext_lazy("is mostly … of the photo", "in the lower right"),
}


@register.filter
def label_names(labels: Iterable[str]) -> str:
    """Several of them."""
    return ", ".join(map(label_name, labels))


@register.filter
def label_with_article(label: str) -> str:
    """A label within a sentence, where some languages say "a cat"."""
    match label:
        case "cat":
            return pgettext("within a sentence, with its article", "cat")
        case "dog":
            return pgettext("within a sentence, with its article", "dog")
    return label_name(label)


@register.simple_tag
def heat_in_words(heat: Heat, label: str) -> str:
    """Where in a photo most of what speaks for a label is."""
    match heat.where:
        case "nowhere":
            words = gettext("Hardly anything in this photo speaks for “%(label)s”.")
        case "everywhere":
            words = gettext("What speaks for “%(label)s” is spread over the whole photo.")
        case _:
            words = gettext("What speaks for “%(label)s” is mostly %(where)s of the photo.")
    return words % {"label": label_name(label), "where": _WHERE.get(heat.where, "")}


@register.filter
def moment(time: datetime) -> str:
    """A day and a time on it, short."""
    # Translators: a date and a time, in the letters of Django's `date` filter.
    written = pgettext("format of a date and a time", "j M Y, H:i")
    return format_date(timezone.localtime(time), written)


@register.filter
def percent(probability: float) -> str:
    """A probability in words of at most three digits, such as "99.9 %".

    Within one percent of certainty it keeps one decimal and rounds away from it,
    so that the shares of two labels still add up to 100.
    """
    # Translators: a share of a hundred.
    return gettext("%(number)s\N{NO-BREAK SPACE}%%") % {"number": _share(100 * probability)}


def _share(share: float) -> str:
    if share >= 99:
        # Six decimals first: 99.8 is stored as 99.79999…, which must not become 99.7.
        return number_format(min(99.9, math.floor(round(10 * share, 6)) / 10), 1)
    if share <= 1:
        return number_format(max(0.1, math.ceil(round(10 * share, 6)) / 10), 1)
    return str(round(share))
