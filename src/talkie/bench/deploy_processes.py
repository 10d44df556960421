"""What processes keep: in RAM, shared pages counted once or in parts, and on a GPU. Reads /proc and `nvidia-smi`.

Knows nothing of servers or of forms.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import suppress

from talkie.bench.deploy_results import Memory
from talkie.bench.machine import PROC, resident_bytes

MIB = 1 << 20
ASK_S = 20.0
QUERY = ("--format=csv,noheader,nounits",)


def memory(pids: Iterable[int], around: Iterable[int]) -> Memory:
    ours, others = list(pids), list(around)
    return Memory(
        rss=sum(map(resident_bytes, ours)),
        pss=sum(map(proportional_bytes, ours)),
        around_rss=sum(map(resident_bytes, others)),
        around_pss=sum(map(proportional_bytes, others)),
    )


def proportional_bytes(pid: int) -> int:
    """`Pss`: each page divided by how many processes have it. 0 where that may not be read."""
    with suppress(OSError, StopIteration):
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("Pss:"))) * 1024
    return 0


def processor_seconds(pids: Iterable[int]) -> float:
    """User and system time of just these, so far."""
    ticks, spent = os.sysconf("SC_CLK_TCK"), 0
    for pid in set(pids):
        with suppress(OSError):
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            spent += int(fields[11]) + int(fields[12])
    return spent / ticks


def parent(pid: int) -> int:
    """Raises `OSError` when there is no such process."""
    return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])


def has_gpu() -> bool:
    return shutil.which("nvidia-smi") is not None and bool(_asked("--query-gpu=index"))


def gpu_bytes(pids: Iterable[int]) -> int:
    """What these processes hold on all devices together."""
    ours = {str(pid) for pid in pids}
    rows = [[cell.strip() for cell in line.split(",")] for line in _asked("--query-compute-apps=pid,used_memory")]
    return sum(int(row[1]) * MIB for row in rows if len(row) == 2 and row[0] in ours and row[1].isdigit())


def gpu_percent() -> float:
    """How busy the first device was in the last moment."""
    found = _asked("--query-gpu=utilization.gpu")
    return float(found[0]) if found and found[0].isdigit() else 0.0


def _asked(query: str) -> list[str]:
    with suppress(OSError, subprocess.TimeoutExpired):
        asked = ["nvidia-smi", query, *QUERY]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=ASK_S, check=False)
        return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
    return []
