"""One function for each rule: does it hold now, and if not, in which words."""

from collections.abc import Callable
from datetime import datetime

from monitoring.judges import answers, service
from monitoring.judges.measured import Measured
from monitoring.rules import Rule

__all__ = ["JUDGES", "Measured"]

# Of the rules by name; the one on the database itself needs none to be judged.
JUDGES: dict[str, Callable[[Rule, datetime], Measured | None]] = {
    "servers": service.servers,
    "spool": service.spool,
    "rejected": service.rejected,
    "slow": service.slow,
    "refusals": service.refusals,
    "quiet": service.quiet,
    "unsure": answers.unsure,
    "labels": answers.labels,
    "agreement": answers.agreement,
    "drift": answers.drift,
    "old": service.old,
    "backlog": service.backlog,
}
