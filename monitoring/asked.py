"""What a page is asked to show, and each figure of it computed once, however often it is shown."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from monitoring.periods import Period

Figure = TypeVar("Figure")


@dataclass
class Asked:
    """A period, and one version or all of them."""

    period: Period
    version: str | None = None
    _known: dict[Callable[..., Any], Any] = field(default_factory=dict, repr=False)

    def of(self, figure: Callable[[Period, str | None], Figure]) -> Figure:
        """A figure of `monitoring.figures` for what is asked."""
        if figure not in self._known:
            self._known[figure] = figure(self.period, self.version)
        found: Figure = self._known[figure]
        return found
