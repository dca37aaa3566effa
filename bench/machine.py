"""What is measured on: the machine, the versions, and the memory and time of a process."""

import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.places import Places

_TICKS = os.sysconf("SC_CLK_TCK")
_LOCKED = re.compile(r"^([A-Za-z0-9_.\-]+)==([^\s\\;]+)", re.MULTILINE)


@dataclass(frozen=True)
class Memory:
    """Resident memory of a process in bytes, now and at its highest."""

    now: int
    peak: int


def family(pid: int) -> list[int]:
    """Give a process and all that it has started, itself first; empty when it has ended."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(one for child in children for one in family(child))]


def memory_of(pid: int) -> Memory:
    """Add up the memory of a process and of those that it has started.

    Args:
        pid: The process.

    Returns:
        The sum. Pages that several of them share are counted in each.
    """
    now = peak = 0
    for one in family(pid):
        try:
            status = Path(f"/proc/{one}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        now += _kilobytes(status, "VmRSS") * 1024
        peak += _kilobytes(status, "VmHWM") * 1024
    return Memory(now, peak)


def _kilobytes(status: str, field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found.group(1)) if found else 0


def processor_of(pid: int) -> float:
    """Add up the CPU seconds of a process and of those that it has started."""
    total = 0
    for one in family(pid):
        try:
            stat = Path(f"/proc/{one}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The name may hold blanks and brackets; the numbers follow its last bracket.
        numbers = stat.rpartition(")")[2].split()
        total += int(numbers[11]) + int(numbers[12])
    return total / _TICKS


def load() -> float:
    """Give the load average of the last minute."""
    return os.getloadavg()[0]


def describe() -> str:
    """Name the machine: CPU model, cores, memory, system."""
    return (
        f"{_cpu_model(Path('/proc/cpuinfo').read_text())}, {os.cpu_count()} cores, "
        f"{_total_memory(Path('/proc/meminfo').read_text()):.0f} GB memory, "
        f"{platform.system()} {platform.release()}, CPython {platform.python_version()}"
    )


def _cpu_model(cpuinfo: str) -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()


def _total_memory(meminfo: str) -> float:
    found = re.search(r"^MemTotal:\s+(\d+) kB$", meminfo, re.MULTILINE)
    return int(found.group(1)) / 1024**2 if found else 0.0


def versions(places: Places, names: Iterable[str]) -> str:
    """List the locked versions of some packages of both environments, the service's first."""
    listed = []
    for file in ("service.txt", "nlu.txt"):
        locked = dict(_LOCKED.findall((places.requirements / file).read_text("utf-8")))
        known = [f"{name} {locked[name]}" for name in names if name in locked]
        listed.append(f"{file.removesuffix('.txt')}: {', '.join(known)}")
    return "; ".join(listed)
