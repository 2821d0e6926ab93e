"""English sentences that can be said again in another language, by whoever knows one."""

from collections.abc import Callable
from functools import partial
from typing import Any, Self


class Sentence(str):
    """Words for people: an English text like any other, which remembers what it is made of.

    `ml` knows no translations; `classifier.words` does.

    Args:
        template: English, with `%(name)s` for what is filled in; written out where it is called, as
            that is where the words to translate are collected from.
        values: What is filled in. Whole numbers are grouped in thousands, others have one decimal.
    """

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        self = super().__new__(cls, template % {key: _said(each) for key, each in values.items()})
        self.template, self.values = template, values
        return self

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        return partial(type(self), self.template, **self.values), ()


def _said(value: object) -> str:
    match value:
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
    return str(value)
