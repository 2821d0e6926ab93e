"""What processes cost: CPU time and memory of one and all below it, as Linux counts them."""

import os
import signal
import subprocess
import threading
from contextlib import suppress
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


def end_family(process: subprocess.Popen, seconds: float = 30) -> None:
    """Ask a process of ours to end, and end by force whatever it leaves behind."""
    everyone, pause = {pid: _born(pid) for pid in family(process.pid)}, threading.Event()
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    for pid, born in everyone.items():
        if born and _born(pid) == born:  # not another one with its number
            os.kill(pid, signal.SIGKILL)
    process.wait()
    while any(lives(pid) and _born(pid) == born for pid, born in everyone.items()):
        pause.wait(0.01)


def lives(pid: int) -> bool:
    """Whether a process runs: one that has ended and that nobody has collected does not."""
    return _stat(pid)[:1] not in ([], ["Z"])


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except OSError:  # it ended meanwhile
        pass
    return found


def _cpu_of(pid: int) -> float:
    return sum(map(int, _stat(pid)[11:15])) / _TICKS  # utime, stime, cutime, cstime


def _born(pid: int) -> str:
    """When a process was started, in ticks; empty if it is not there."""
    return "".join(_stat(pid)[19:20])


def _stat(pid: int) -> list[str]:
    """Fields of proc_pid_stat(5) from the third one on, behind the name, which may hold spaces."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return []
