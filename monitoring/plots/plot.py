"""What a plot consists of."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from django.utils.safestring import SafeString

from monitoring.tables import Table


@dataclass(frozen=True)
class Plot:
    """A figure to look at.

    Attributes:
        name: In addresses and as the `id` of its place on the page.
        title: In a few words.
        reading: One sentence: how to read it.
        table: Its numbers.
        svg: The chart; None where there is nothing to draw.
        empty: What is said then, and when that will change.
    """

    name: str
    title: str
    reading: str
    table: Table
    svg: SafeString | None
    empty: str

    @cached_property
    def digest(self) -> str:
        """Tells whether what is shown has changed."""
        shown = f"{self.name}{self.reading}{self.svg}{self.table.words}{self.empty}"
        return hashlib.sha256(shown.encode()).hexdigest()[:12]
