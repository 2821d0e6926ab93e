"""A progress bar on a terminal, and silence in a pipe."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def progress(items: Iterable[T], total: int, what: str, unit: str = " photos") -> Iterator[T]:
    """Pass `items` on, showing how many of `total` have gone by."""
    try:
        from tqdm import tqdm
    except ImportError:  # a comfort of the training set-up; serving does without
        yield from items
        return
    # disable=None: shown only where somebody can see it.
    yield from tqdm(items, desc=what, total=total, unit=unit, disable=None)
