"""How a line of the log looks: JSON where programs read it, words where a developer does.

Only what is named here gets out: no address, no token, no query string, nothing of a photo.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from classifier import trace


class WithRequestId(logging.Filter):
    """Adds the id of the request that is being answered to each line written meanwhile."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = trace.current().request_id or "-"
        return True


class OnlyUnforeseen(logging.Filter):
    """For Django's own request log: each request has its line already, tracebacks have not."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info is not None


class JsonLine(logging.Formatter):
    """One line of JSON. What a call gives as `extra={"fields": {…}}` is laid beside the rest."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)  # ASCII: whatever a message holds, a line stays one line
