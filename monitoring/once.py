"""Within a page, ask the database once for what many figures are sums of."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from monitoring.periods import HOUR

if TYPE_CHECKING:
    from monitoring.reach import Scope

_T = TypeVar("_T")


@dataclass(frozen=True)
class Page:
    """What is shown, and what is known of it so far."""

    scope: "Scope"
    _known: dict[Hashable, Any] = field(default_factory=dict)

    @property
    def step(self) -> timedelta:
        """Of its plots' intervals."""
        return self.scope.period.step

    def known(self, what: Hashable, ask: Callable[[], _T]) -> _T:
        """What is asked for the first time only."""
        if what not in self._known:
            self._known[what] = ask()
        found: _T = self._known[what]
        return found


_page: ContextVar[Page | None] = ContextVar("page", default=None)


@contextmanager
def asked_once(scope: "Scope") -> Iterator[None]:
    """Whatever is counted of a scope within this block, in this thread, is asked for once."""
    token = _page.set(Page(scope))
    try:
        yield
    finally:
        _page.reset(token)


def page(scope: "Scope", by: tuple[str, ...], step: timedelta) -> Page | None:
    """The page on which something is counted, if what it knows can tell.

    Args:
        scope: What is counted: of the page's period, and of its version if it has one.
        by: What is told apart.
        step: How long a bucket is. The page's own; none below an hour, where there are no sums.
    """
    page = _page.get()
    if page is None or (scope.period, scope.person) != (page.scope.period, page.scope.person):
        return None
    is_part = page.scope.version in (None, scope.version)
    is_in_step = not page.step % HOUR and ("bucket" not in by or step == page.step)
    return page if is_part and is_in_step else None


def known(what: Hashable, ask: Callable[[], _T]) -> _T:
    """What does not depend on a scope: asked for once on a page, and each time without one."""
    page = _page.get()
    return page.known(what, ask) if page else ask()
