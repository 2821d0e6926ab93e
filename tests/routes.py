"""Every address that the site has, as its URL patterns say, with something put in for each part."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Route:
    """One address.

    Attributes:
        pattern: As the patterns have it, all parts joined.
        name: Of the pattern, empty if it has none.
        parts: What varies in it: `prediction_id`, `pk`, …
    """

    pattern: str
    name: str
    parts: tuple[str, ...] = field(default=())

    def path(self, values: Mapping[str, object]) -> str:
        """The address with these values put in.

        Raises:
            KeyError: if a part has no value: a new address wants one.
        """
        return "/" + _PART.sub(lambda part: str(values[part[1] or part[2]]), self.pattern)


_PART = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")


def every_route() -> list[Route]:
    return list(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[Route]:
    for each in patterns:
        joined = before + _plain(str(each.pattern))
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, joined)
        else:
            parts = tuple(part[1] or part[2] for part in _PART.finditer(joined))
            yield Route(joined, each.name or "", parts)


def _plain(pattern: str) -> str:
    """A regular expression's anchors and catch-alls taken off."""
    pattern = pattern.removeprefix("^").removesuffix("$").removesuffix("\\Z")
    return "nothing".join(pattern.split(".*")) if "(?P" not in pattern else pattern
