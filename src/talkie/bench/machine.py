"""The machine a figure was taken on, and what processes cost it: without these a figure says nothing.

Reads /proc on Linux; elsewhere the cost of other processes is unknown and reads as 0. Knows nothing of speech.
"""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Machine:
    """What to write beside every figure. `load` is the load average of the last minute: others may be busy here."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    talkie: str
    load: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.processor}, {self.cores} cores (load {self.load:.1f}), {self.memory_gb:.0f} GB, {self.system}, "
            f"Python {self.python}, Talkie {self.talkie}"
        )


def this_machine() -> Machine:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        processor=_processor_name(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gb=round(pages / 1e9, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        talkie=version("talkie"),
        load=round(os.getloadavg()[0], 1),
    )


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    parents = {child: parent for child, parent, _ in _processes()}
    members = [pid]
    for member in members:
        members.extend(child for child, parent in parents.items() if parent == member)
    return members


def processor_seconds(pid: int) -> float:
    """User and system time that the living family of `pid` has used so far."""
    members = set(family(pid))
    spent = sum(seconds for child, _, seconds in _processes() if child in members)
    if not spent and pid == os.getpid():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime
    return spent


def resident_bytes(pid: int) -> int:
    """Memory of one process that lies in RAM, shared pages counted in full (`VmRSS`)."""
    return _status_bytes(pid, "VmRSS")


def peak_resident_bytes(pid: int) -> int:
    """The most that one process had in RAM since it started (`VmHWM`)."""
    return _status_bytes(pid, "VmHWM")


def threads(pid: int) -> int:
    """How many threads one process has; 0 where that cannot be read."""
    with suppress(OSError):
        return len(list((PROC / str(pid) / "task").iterdir()))
    return 0


def command_of(pid: int) -> str:
    """A short name: the module or script that a Python process runs."""
    with suppress(OSError):
        line = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace")
        words = [word for word in line.split("\0") if word]
        named = [Path(word).name for word in words[1:] if not word.startswith("-") and len(word) < 200]
        return " ".join(named[:1]) or Path(words[0]).name if words else "?"
    return "?"


def _processes() -> Iterator[tuple[int, int, float]]:
    """`(pid, parent, processor seconds)` of all processes; fields by proc_pid_stat(5)."""
    ticks = os.sysconf("SC_CLK_TCK")
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            yield int(entry.name), int(fields[1]), (int(fields[11]) + int(fields[12])) / ticks


def _status_bytes(pid: int, name: str) -> int:
    with suppress(OSError, StopIteration):
        lines = (PROC / str(pid) / "status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:"))) * 1024
    return 0


def _processor_name() -> str:
    with suppress(OSError, StopIteration):
        lines = (PROC / "cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or platform.machine()
