"""Which version was live last, in a small file: for a server that starts without its database."""

import contextlib
import json
import logging
import os
from pathlib import Path

from django.conf import settings

from classifier.models import ModelVersion
from classifier.spool import sync_folder

_NAME = "live-version.json"
# What is needed to check a version's folder as if the row had been read from the database.
_KEPT = ("name", "weights_sha256", "files")

logger = logging.getLogger(__name__)


def remember(version: ModelVersion) -> None:
    """Note the version that goes live here; where that fails, the server works all the same."""
    known = {name: getattr(version, name) for name in _KEPT}
    if _read() == known:
        return
    aside = _path().with_suffix(f".{os.getpid()}")
    try:
        with aside.open("w", encoding="utf-8") as file:
            json.dump(known, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(_path())
        sync_folder(_path().parent)
    except OSError as error:
        logger.warning("The live version cannot be remembered: %s", error)
        with contextlib.suppress(OSError):
            aside.unlink()


def remembered() -> ModelVersion | None:
    """The version that was live when the database was last asked here; None: it never was."""
    known = _read()
    return ModelVersion(**known) if known else None


def _read() -> dict[str, object] | None:
    try:
        known = json.loads(_path().read_text(encoding="utf-8"))
        return {name: known[name] for name in _KEPT}
    except (OSError, ValueError, KeyError, TypeError):  # none, or not written by us
        return None


def _path() -> Path:
    return Path(settings.VAR_DIR) / _NAME
