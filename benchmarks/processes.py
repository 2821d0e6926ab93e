"""What processes cost: CPU time and memory of one and all below it, as Linux counts them."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all that descend from it and live."""
    found = [pid]
    for each in found:  # grows while it is walked
        found += _children(each)
    return found


def cpu_seconds(pid: int) -> float:
    """CPU that a process and its descendants have used, those included that have ended."""
    return sum(map(_cpu_of, family(pid)))


def memory_mb(pid: int) -> dict[str, float]:
    """Memory of one process in MB: resident, its share of what is shared, and what is its own.

    Raises:
        OSError: if it has ended.
    """
    kb = {"Rss": 0, "Pss": 0, "Private_Clean": 0, "Private_Dirty": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        if (name := name.rstrip(":")) in kb:
            kb[name] = int(value)
    own = kb["Private_Clean"] + kb["Private_Dirty"]
    return {"rss": kb["Rss"] / 1024, "pss": kb["Pss"] / 1024, "uss": own / 1024}


def all_memory_mb(pid: int) -> float:
    """Memory of a process and its descendants in MB, what they share counted once."""
    total = 0.0
    for each in family(pid):
        try:
            total += memory_mb(each)["pss"]
        except OSError:  # it ended meanwhile
            continue
    return total


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except OSError:  # it ended meanwhile
        pass
    return found


def _cpu_of(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    # Behind the name, which may hold spaces: utime, stime, cutime, cstime are fields 14 to 17.
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS
