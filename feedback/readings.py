"""Read numbers from a card, which may hold anything, and write them as people read them."""

import math
from collections.abc import Mapping
from typing import Any

NONE = "–"
_SPACE = "\N{NO-BREAK SPACE}"


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


def share(value: object) -> str:
    """A share as a percentage with two decimals: "99.13 %"."""
    found = number(value)
    return NONE if found is None else f"{100 * found:.2f}{_SPACE}%"


def interval(value: object) -> str:
    """Two shares: "98.65 to 99.44 %"."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return ""
    low, high = map(number, value)
    if low is None or high is None:
        return ""
    return f"{100 * low:.2f} to {100 * high:.2f}{_SPACE}%"


def decimal(value: object) -> str:
    """Four decimals."""
    found = number(value)
    return NONE if found is None else f"{found:.4f}"


def count(value: object) -> str:
    found = number(value)
    return NONE if found is None else f"{found:,.0f}"


def points(difference: float) -> str:
    """A difference of two shares, in percentage points, with its sign."""
    return f"{_signed(100 * difference, 2)} points"


def signed_decimal(difference: float) -> str:
    return _signed(difference, 4)


def _signed(value: float, decimals: int) -> str:
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return f"±{text}"
    sign = "+" if value > 0 else "\N{MINUS SIGN}"
    return f"{sign}{text}"


def listed(words: object) -> str:
    """As one says it: "cat and dog", or "cat, dog and hare"."""
    texts = [str(word) for word in words] if isinstance(words, (list, tuple)) else []
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))
