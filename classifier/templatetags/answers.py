"""Say probabilities the way a careful person would: never quite certain, never quite impossible."""

import math

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def percent(probability: float) -> str:
    """A probability in words of at most three digits, such as "99.9 %".

    Within one percent of certainty it keeps one decimal and rounds away from it,
    so that the shares of two labels still add up to 100.
    """
    share = 100 * probability
    if share >= 99:
        # Six decimals first: 99.8 is stored as 99.79999…, which must not become 99.7.
        share = min(99.9, math.floor(round(10 * share, 6)) / 10)
        return f"{number_format(share, 1)}\N{NO-BREAK SPACE}%"
    if share <= 1:
        share = max(0.1, math.ceil(round(10 * share, 6)) / 10)
        return f"{number_format(share, 1)}\N{NO-BREAK SPACE}%"
    return f"{round(share)}\N{NO-BREAK SPACE}%"
