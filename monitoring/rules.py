"""What the rules file says: when somebody is told, and what."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SHIPPED = Path(__file__).with_name("rules.toml")
SEVERITIES = ("critical", "warning", "info")

_EVERY_RULE_HAS = ("on", "severity", "title", "do", "lasts", "calm")
_SHARES = ("limit", "low", "high")


class RulesError(ImproperlyConfigured):
    """A file of rules cannot be used; the message names the file, the rule and the line's key."""


@dataclass(frozen=True)
class Rule:
    """When somebody is told of something.

    Attributes:
        name: By which incidents, silences and the documentation know it.
        severity: One of `SEVERITIES`.
        title: The subject of a mail.
        do: What to do about it, in a sentence or two.
        lasts: Minutes it must last before anybody is told.
        calm: So many checks in a row must be fine before it is over.
        limits: What is its own: limits, windows, numbers of photos.
    """

    name: str
    severity: str
    title: str
    do: str
    lasts: float
    calm: int
    limits: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.limits[key]


def rules() -> dict[str, Rule]:
    """The rules that are on: those that ship, with what the file of `ALERT_RULES` changes.

    Raises:
        RulesError: if that file cannot be read, or says something that no rule knows.
    """
    own = str(settings.ALERT_RULES or "")
    return {name: rule for name, rule in read_rules(own).items() if rule is not None}


@cache
def read_rules(own: str = "") -> dict[str, Rule | None]:
    """All rules by name; those that are off are None. A file is read once.

    Args:
        own: The path of a file whose values win over those that ship; empty: none.
    """
    tables = _parse(SHIPPED)
    changes = _parse(Path(own)) if own else {}
    for name, table in changes.items():
        if name not in tables:
            raise RulesError(f"{own}: there is no rule [{name}]. Rules: {', '.join(tables)}.")
        _check_changes(f"{own}, [{name}]", tables[name], table)
        tables[name] |= table
    return {name: _rule(name, table) for name, table in tables.items()}


def _parse(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RulesError(f"The rules in {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise RulesError(f"{path} is not written in TOML: {error}") from error


def _check_changes(where: str, shipped: dict[str, Any], changes: Any) -> None:
    if not isinstance(changes, dict):
        raise RulesError(f"{where} is a table, such as [slow], not {changes!r}.")
    for key, value in changes.items():
        if key not in shipped:
            raise RulesError(f"{where}: {key} is unknown. It has {', '.join(shipped)}.")
        _check_value(f"{where}: {key}", key, shipped[key], value)


def _check_value(where: str, key: str, shipped: Any, value: Any) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(shipped, bool):
        if not isinstance(value, bool):
            raise RulesError(f"{where} is true or false, not {value!r}.")
    elif isinstance(shipped, int | float):
        if not is_number or not 0 <= value < 10**9:
            raise RulesError(f"{where} is a number at or above 0, not {value!r}.")
        if key in _SHARES and value > 1:
            raise RulesError(f"{where} is a share from 0 to 1, not {value!r}.")
        if isinstance(shipped, int) and key not in ("lasts", *_SHARES) and value != int(value):
            raise RulesError(f"{where} is a whole number, not {value!r}.")
    elif not isinstance(value, type(shipped)):
        kind = "a list of texts" if isinstance(shipped, list) else "a text"
        raise RulesError(f"{where} is {kind}, not {value!r}.")
    elif isinstance(value, list) and not all(isinstance(each, str) for each in value):
        raise RulesError(f"{where} is a list of texts, not {value!r}.")
    elif key == "severity" and value not in SEVERITIES:
        raise RulesError(f"{where} is one of {', '.join(SEVERITIES)}, not {value!r}.")
    elif isinstance(value, str) and (not value.isprintable() or not 0 < len(value) <= 200):
        raise RulesError(f"{where} is one line of at most 200 characters, not {value!r}.")


def _rule(name: str, table: dict[str, Any]) -> Rule | None:
    if not table["on"]:
        return None
    limits = {key: value for key, value in table.items() if key not in _EVERY_RULE_HAS}
    return Rule(
        name=name,
        severity=table["severity"],
        title=table["title"],
        do=table["do"],
        lasts=float(table["lasts"]),
        calm=int(table["calm"]),
        limits=limits,
    )
