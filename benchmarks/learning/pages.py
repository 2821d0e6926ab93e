"""Fill the marked spots of pages with measured numbers, so that no figure is typed by hand.

A spot is `<!-- NAME -->words<!-- / -->`; what stands between is replaced by the words for NAME.
"""

import re
from collections.abc import Mapping

_SPOT = re.compile(r"<!-- ([a-z0-9/-]+) -->(.*?)<!-- / -->", re.DOTALL)


def fill(page: str, words: Mapping[str, str]) -> str:
    """The page with every spot filled.

    Raises:
        ValueError: if a spot names a number that was not measured.
    """

    def one(spot: re.Match[str]) -> str:
        name = spot[1]
        if name not in words:
            raise ValueError(f"A page asks for {name!r}. Measured: {', '.join(sorted(words))}")
        return f"<!-- {name} -->{words[name]}<!-- / -->"

    return _SPOT.sub(one, page)


def spots(page: str) -> dict[str, str]:
    """Name to words of every spot of a page."""
    return {spot[1]: spot[2] for spot in _SPOT.finditer(page)}
