"""Put the versions that this image ships beside those that were trained on the volume.

Usage: python docker/copy_models.py SHIPPED VOLUME. What is there already is left as it is; what is
copied appears whole or not at all, also when two containers start at once.
"""

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path


def copy_models(shipped: Path, volume: Path) -> list[str]:
    """Copy each version's folder and each base that the volume lacks.

    Returns:
        What was copied, by its path under the volume.
    """
    wanted = [card.parent for card in shipped.glob("*/card.json")] + [*shipped.glob("bases/*.npz")]
    copied = []
    for source in sorted(wanted):
        target = volume / source.relative_to(shipped)
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if _copy_whole(source, target):
            copied.append(str(source.relative_to(shipped)))
    return copied


def _copy_whole(source: Path, target: Path) -> bool:
    """Whether it was us who put it there."""
    with tempfile.TemporaryDirectory(prefix=".copying-", dir=target.parent) as aside:
        copy = Path(aside, source.name)
        if source.is_dir():
            shutil.copytree(source, copy)
        else:
            shutil.copyfile(source, copy)
        # A folder that is there and not empty refuses the rename: another container was faster.
        with contextlib.suppress(OSError):
            copy.rename(target)
            return True
    if not target.exists():
        raise OSError(f"{source.name} could not be copied to {target.parent}.")
    return False


if __name__ == "__main__":
    copy_models(Path(sys.argv[1]), Path(sys.argv[2]))
