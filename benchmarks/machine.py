"""What a figure was measured on: machine, versions, day."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("onnxruntime", "pillow", "django", "gunicorn", "numpy")


def machine() -> dict[str, str]:
    """Name to value, for a table's caption."""
    found = {
        "day": datetime.now(UTC).date().isoformat(),
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def as_sentence(about: dict[str, str]) -> str:
    """What `machine` found, in a line."""
    packages = ", ".join(f"{name} {about[name]}" for name in _PACKAGES if name in about)
    return (
        f"{about['cores']} cores ({about['processor']}), Python {about['python']}, {packages}, "
        f"{about['day']}"
    )
