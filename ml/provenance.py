"""Where a version was made: machine, packages and the code's revision, for its card."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from importlib.metadata import version as version_of_package
from pathlib import Path
from typing import Any

from ml.features import num_cores


def machine() -> dict[str, Any]:
    """The machine this runs on."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": num_cores(),
    }


def packages(names: Iterable[str]) -> dict[str, str]:
    """Versions of installed packages."""
    return {name: version_of_package(name) for name in names}


def code_revision() -> str | None:
    """The commit this code is at, marked where files were changed since; None outside git."""
    git = shutil.which("git")
    if git is None:
        return None
    # A fixed command, in this code's own folder, on the git that the user has.
    said = subprocess.run(  # noqa: S603
        [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
        cwd=Path(__file__).parent,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or None
