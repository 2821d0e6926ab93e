"""Folders that are written whole or not at all, and never over something else."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path


def lies_with(folder: Path, other: Path) -> bool:
    """Whether the two are one folder, or one lies in the other."""
    one, two = folder.resolve(), other.resolve()
    return one == two or one in two.parents or two in one.parents


def holds_something_else(folder: Path, is_ours: Callable[[set[str]], bool]) -> bool:
    """Whether to replace a folder would lose what we did not write.

    Args:
        folder: It need not be there.
        is_ours: Tells by the names in a folder, of which there is at least one.
    """
    if not folder.exists():
        return False
    if not folder.is_dir():
        return True
    names = {path.name for path in folder.iterdir()}
    return bool(names) and not is_ours(names)


def write_whole(to: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write all aside, then put it in place: what is there is always one whole run's.

    Args:
        to: The folder; what an earlier run wrote there goes, once all is there.
        files: Name and content of each.

    Raises:
        OSError: for instance if the disk is full; what was there before is then still there.
    """
    aside, before = to.with_name(f".{to.name}.new"), to.with_name(f".{to.name}.old")
    if before.exists() and not to.exists():  # killed between the two renames below
        before.rename(to)
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        for name, content in files:
            (aside / name).write_bytes(content)
        shutil.rmtree(before, ignore_errors=True)
        if to.exists():
            to.rename(before)
        aside.rename(to)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(before, ignore_errors=True)
