"""Read numbers from a card, which may hold anything, and write them as people read them.

Each is written as its reader's language has it: with a decimal point or a decimal comma.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.formats import get_format
from django.utils.translation import gettext, ngettext

NONE = "–"


def number(value: object) -> float | None:
    """A finite number, or None for whatever else it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # JSON knows no largest whole number
        return None


def mapping(value: object) -> Mapping[str, Any]:
    """A mapping; an empty one for whatever else it is."""
    return value if isinstance(value, Mapping) else {}


def localised(figure: str) -> str:
    """A number as Python writes it, "18,036.5", as the language has it: "18 036,5"."""
    signs = {",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR")}
    return figure.translate(str.maketrans(signs))


def percentage(figure: str) -> str:
    """A number of percent, with the sign: "99.13 %"."""
    return gettext("%(number)s\u00a0%%") % {"number": localised(figure)}


def share(value: object) -> str:
    """A share as a percentage with two decimals: "99.13 %"."""
    found = number(value)
    return NONE if found is None else percentage(f"{100 * found:.2f}")


def interval(value: object) -> str:
    """Two shares: "98.65 to 99.44 %"."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return ""
    low, high = map(number, value)
    if low is None or high is None:
        return ""
    ends = {"low": localised(f"{100 * low:.2f}"), "high": percentage(f"{100 * high:.2f}")}
    return gettext("%(low)s to %(high)s") % ends


def decimal(value: object) -> str:
    """Four decimals."""
    found = number(value)
    return NONE if found is None else localised(f"{found:.4f}")


def count(value: object) -> str:
    found = number(value)
    return NONE if found is None else localised(f"{found:,.0f}")


def figure(value: float | None) -> str:
    """A figure of any kind: whole from ten thousand up, else four digits."""
    if value is None:
        return NONE
    return localised(f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}")


def points(difference: float) -> str:
    """A difference of two shares, in percentage points, with its sign."""
    # English says "0.50 points", other languages "0,50 point".
    words = ngettext(
        "%(difference)s points", "%(difference)s points", int(abs(round(100 * difference, 2)))
    )
    return words % {"difference": _signed(100 * difference, 2)}


def signed_decimal(difference: float) -> str:
    return _signed(difference, 4)


def _signed(value: float, decimals: int) -> str:
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return f"±{localised(text)}"
    sign = "+" if value > 0 else "\N{MINUS SIGN}"
    return f"{sign}{localised(text)}"


def listed(words: object, said: Callable[[str], str] = str) -> str:
    """As one says it: "cat and dog", or "cat, dog and hare"; `said` gives each word its form."""
    texts = [said(str(word)) for word in words] if isinstance(words, (list, tuple)) else []
    if len(texts) < 2:
        return "".join(texts)
    return gettext("%(first)s and %(last)s") % {
        "first": ", ".join(texts[:-1]),
        "last": texts[-1],
    }
