"""What a candidate was judged by, and whether it may go live; as JSON can hold it, too."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One thing a candidate has to be good at.

    Attributes:
        name: Short, the same in every verdict.
        passed: Whether it is.
        candidate: Its number; None where there is none.
        live: The live version's; likewise.
        limit: What would have passed, in words.
        words: What was found, a plain sentence.
    """

    name: str
    passed: bool
    candidate: float | None
    live: float | None
    limit: str
    words: str


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate may go live, with all that it was judged by."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check is passed, and there was one."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    def reasons(self) -> list[str]:
        """Why not: a sentence for each check that failed."""
        return [check.words for check in self.checks if not check.passed]

    def as_dict(self) -> dict[str, Any]:
        """As JSON can hold it; `from_dict` reads it back."""
        return {
            "passed": self.passed,
            "reasons": self.reasons(),
            "checks": [_finite(asdict(check)) for check in self.checks],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Verdict":
        """What `as_dict` gave.

        Raises:
            ValueError: if it is something else.
        """
        try:
            return cls(tuple(Check(**check) for check in content["checks"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"This is no verdict ({error}).") from error


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no infinity and nothing that is not a number."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }
