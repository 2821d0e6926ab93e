"""What an experiment gives: curves for plots, and numbers with the words that pages say them in."""

from dataclasses import dataclass

import numpy as np

Curves = dict[str, np.ndarray]
Numbers = dict[str, tuple[float, str]]


@dataclass(frozen=True)
class Found:
    """What an experiment gave.

    Attributes:
        curves: What its plots show, by name.
        numbers: What its page says, by name: a value and the words for it.
    """

    curves: Curves
    numbers: Numbers


def percent(share: float, digits: int = 1) -> tuple[float, str]:
    """A share and how a page says it."""
    return round(float(share), 6), f"{100 * share:.{digits}f} %"


def count(number: int) -> tuple[float, str]:
    """A count and how a page says it."""
    return int(number), f"{number:,}"


def plain(number: float, digits: int) -> tuple[float, str]:
    """A number and how a page says it."""
    return round(float(number), 6), f"{number:.{digits}f}"
