"""What a server keeps in memory: when it is ready, at most during a long file, and after it.

What is measured: the resident size (`VmRSS`) of the server and of each of its worker processes, shared pages counted
in each; the most is the kernel's own mark (`VmHWM`). The file is speech of the built-in voice, repeated with pauses,
sent to the running server like any upload. A server that leaks or holds whole files shows here.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from talkie.bench.machine import command_of, family, peak_resident_bytes, processor_seconds, resident_bytes
from talkie.bench.recordings import synthesize
from talkie.bench.report import megabytes, table
from talkie.bench.served import Served, served
from talkie.types import SAMPLE_RATE_HZ, Samples

_PAUSE_S = 0.5
_SETTLE_S = 2.0
WHEN = ("idle", "most", "after")


@dataclass(frozen=True, slots=True)
class Resident:
    """One process: bytes in RAM when all was ready, at most, and after the file."""

    name: str
    idle: int
    most: int
    after: int

    def __add__(self, other: Resident) -> Resident:
        return Resident("together", self.idle + other.idle, self.most + other.most, self.after + other.after)


@dataclass(frozen=True, slots=True)
class MemoryResult:
    """The server's process comes first."""

    model: str
    minutes: float
    wall_s: float
    processor_s: float
    processes: tuple[Resident, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "minutes": self.minutes,
            "wall_s": round(self.wall_s, 1),
            "processor_s": round(self.processor_s, 1),
            "rtfx": round(60 * self.minutes / max(self.wall_s, 1e-9), 2),
            "processes": [
                {"name": one.name, **{f"{when}_mb": round(getattr(one, when) / 1e6) for when in WHEN}}
                for one in self.processes
            ],
        }


def measure(model: str, minutes: float) -> MemoryResult:
    """Start a server, send it `minutes` of speech, and look. Raises `talkie.errors`."""
    with tempfile.TemporaryDirectory(prefix="talkie-bench-") as directory:
        home = Path(directory)
        long = home / "long.flac"
        write_speech(long, minutes * 60)
        with served(home, model=model) as server:
            time.sleep(_SETTLE_S)
            idle = {pid: resident_bytes(pid) for pid in family(server.pid)}
            cpu, began = processor_seconds(server.pid), time.monotonic()
            server.client.transcribe(long, model=model)
            wall_s, spent = time.monotonic() - began, processor_seconds(server.pid) - cpu
            time.sleep(_SETTLE_S)
            processes = tuple(
                Resident(_name(pid, server), idle.get(pid, 0), peak_resident_bytes(pid), resident_bytes(pid))
                for pid in family(server.pid)
            )
    return MemoryResult(model, minutes, wall_s, spent, processes)


def as_table(result: MemoryResult) -> str:
    together = reduce(add, result.processes, Resident("together", 0, 0, 0))
    rows = [(one.name, *(megabytes(getattr(one, when)) for when in WHEN)) for one in (*result.processes, together)]
    return table(("process", "idle", "most", "after"), rows)


def _name(pid: int, server: Served) -> str:
    return "talkie serve" if pid == server.pid else command_of(pid)


def write_speech(path: Path, seconds: float) -> None:
    """A FLAC file of speech with pauses, written piece by piece."""
    left = round(seconds * SAMPLE_RATE_HZ)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, format="FLAC", subtype="PCM_16") as file:
        for piece in _speech():
            file.write(piece[:left])
            left -= len(piece)
            if left <= 0:
                return


def _speech() -> Iterator[Samples]:
    """Sentences of the built-in voice at 16 kHz, without end."""
    import soxr

    pause = np.zeros(round(_PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    with tempfile.TemporaryDirectory(prefix="talkie-bench-") as directory:
        spoken = []
        for recording in synthesize(Path(directory)):
            samples, rate = soundfile.read(recording.path, dtype="float32")
            spoken.append(np.asarray(soxr.resample(samples, rate, SAMPLE_RATE_HZ), np.float32))
    while True:
        for samples in spoken:
            yield samples
            yield pause
