"""The part that all runners share: one JSON object a line in, one out, and what each piece of work cost.

A runner is a program of its own, run by the interpreter of its peer's environment, so nothing here or beside it imports
Talkie (but for the runner of Talkie itself) or anything outside the standard library before it is asked to load.
Knows nothing of any engine: a runner hands in an object with the methods of `Engine`.

Costs are wall seconds and processor seconds, user and system: of this process, of children that have ended and, where
there is a /proc, of descendants still at work.
"""

from __future__ import annotations

import json
import os
import resource
import threading
import time
import wave
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import IO, Any, Protocol

PROC = Path("/proc")
MAX_CLIENTS, MAX_CLIPS = 256, 10_000
JOIN_S = 3600.0


class Engine(Protocol):
    """One way of hearing.

    `packages` are the distributions whose versions a report names; `takes` is "path" or "samples" (float32, 16 kHz);
    `concurrent` says that `hear` may be called from several threads at once.
    """

    packages: tuple[str, ...]
    takes: str
    concurrent: bool

    def open(self, wish: dict[str, Any], imported: Callable[[], None]) -> dict[str, Any]:
        """Import the library, call `imported`, load the model; gives the settings that were really set."""
        ...

    def hear(self, sound: Any, first: Callable[[], None]) -> list[dict[str, Any]]:
        """The segments of a file, each with `text`, `start`, `end` and maybe `timed_words`.

        `first` is called when one of them is known, and may be called again.
        """
        ...


def serve(engine: Engine) -> None:
    """Answer until `end` or the end of stdin. Whatever libraries print goes to stderr."""
    asked, answers = _own_streams()
    work = {"load": load, "transcribe": transcribe, "clips": clips}
    for line in asked:
        wish = json.loads(line)
        if wish["do"] == "end":
            return
        try:
            answer = {"ok": True, **work[wish["do"]](engine, wish)}
        except Exception as error:
            answer = {"ok": False, "error": f"{type(error).__name__}: {error}"[:2000]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def load(engine: Engine, wish: dict[str, Any]) -> dict[str, Any]:
    """Import and load, each with its cost."""
    marks = [_now()]
    settings = engine.open(wish, lambda: marks.append(_now()))
    marks.append(_now())
    (import_s, import_cpu_s), (load_s, load_cpu_s) = (_between(marks[0], marks[1]), _between(marks[1], marks[-1]))
    costs = {"import_s": import_s, "import_cpu_s": import_cpu_s, "load_s": load_s, "load_cpu_s": load_cpu_s}
    return {**costs, "versions": _versions(engine.packages), "settings": settings}


def transcribe(engine: Engine, wish: dict[str, Any]) -> dict[str, Any]:
    """One file; `words` counts the words of the text and `timed_words` those that have times."""
    began, firsts = _now(), []
    segments = engine.hear(_sound(engine, wish["path"]), lambda: firsts.append(time.perf_counter()))
    ended = _now()
    wall_s, cpu_s = _between(began, ended)
    text = joined(segments)
    return {
        "text": text,
        "segments": len(segments),
        "words": len(text.split()),
        "timed_words": sum(int(segment.get("timed_words", 0)) for segment in segments),
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "first_segment_s": (firsts[0] if firsts else ended[0]) - began[0],
    }


def clips(engine: Engine, wish: dict[str, Any]) -> dict[str, Any]:
    """`clients` threads start together and each hands in `each` clips, one after the other; the paths go round.

    `latencies_s` and `texts` are in the order of clients, then of their clips; `per_client` is the seconds after which
    each client had all of its texts.
    """
    clients, each, paths = int(wish["clients"]), int(wish["each"]), list(wish["paths"])
    if not (paths and 0 < clients <= MAX_CLIENTS and each > 0 and clients * each <= MAX_CLIPS):
        raise ValueError("no clips, or more than there may be")
    gate: Any = nullcontext() if engine.concurrent else threading.Lock()
    room = _Room(engine, gate, threading.Barrier(clients + 1))
    shares = [[paths[(number * each + turn) % len(paths)] for turn in range(each)] for number in range(clients)]
    threads = [threading.Thread(target=room.client, args=(n, share), daemon=True) for n, share in enumerate(shares)]
    for thread in threads:
        thread.start()
    room.barrier.wait()
    began = _now()
    for thread in threads:
        thread.join(JOIN_S)
    wall_s, cpu_s = _between(began, _now())
    if room.errors or len(room.done) != clients:
        raise RuntimeError(room.errors[0] if room.errors else "a client did not finish")
    rows = [room.done[number] for number in range(clients)]
    return {
        "latencies_s": [latency for row in rows for latency, _ in row],
        "per_client": [sum(latency for latency, _ in row) for row in rows],
        "texts": [text for row in rows for _, text in row],
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "audio_s": sum(seconds(path) for share in shares for path in share),
    }


class _Room:
    """Where clients wait for the start, and where their results lie."""

    def __init__(self, engine: Engine, gate: Any, barrier: threading.Barrier) -> None:
        self.engine, self.gate, self.barrier = engine, gate, barrier
        self.done: dict[int, list[tuple[float, str]]] = {}
        self.errors: list[str] = []

    def client(self, number: int, share: list[str]) -> None:
        self.barrier.wait()
        row = []
        try:
            for path in share:
                began = time.perf_counter()
                with self.gate:
                    text = joined(self.engine.hear(_sound(self.engine, path), lambda: None))
                row.append((time.perf_counter() - began, text))
            self.done[number] = row
        except Exception as error:
            self.errors.append(f"{type(error).__name__}: {error}")


def joined(segments: list[dict[str, Any]]) -> str:
    """The text of all segments, with single blanks."""
    return " ".join(" ".join(str(segment["text"]) for segment in segments).split())


def _sound(engine: Engine, path: str) -> Any:
    """What the engine takes for a 16 kHz mono WAV file of 16 bits. Reading it is part of the work."""
    if engine.takes == "path":
        return path
    import numpy as np

    with wave.open(path, "rb") as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (16_000, 1, 2):
            raise ValueError("the file is not 16 kHz mono PCM of 16 bits")
        raw = file.readframes(file.getnframes())
    return np.frombuffer(raw, np.int16).astype(np.float32) / 32768.0


def seconds(path: str) -> float:
    """The length of a WAV file."""
    with wave.open(path, "rb") as file:
        return file.getnframes() / file.getframerate()


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in packages:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def processor_seconds() -> float:
    """User and system time so far of this process, of children that ended, and of living descendants."""
    ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in ended) + _descendants_s()


def _descendants_s() -> float:
    """Fields by proc_pid_stat(5): parent, then the times of a process and of the children it has waited for."""
    rows: dict[int, tuple[int, float]] = {}
    ticks = os.sysconf("SC_CLK_TCK")
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            rows[int(entry.name)] = (int(fields[1]), sum(map(int, fields[11:15])) / ticks)
    family = {os.getpid()}
    grew = True
    while grew:
        new = {pid for pid, (parent, _) in rows.items() if parent in family} - family
        family |= new
        grew = bool(new)
    return sum(rows[pid][1] for pid in family if pid in rows and pid != os.getpid())


def _now() -> tuple[float, float]:
    return time.perf_counter(), processor_seconds()


def _between(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return other[0] - one[0], other[1] - one[1]


def _own_streams() -> tuple[IO[str], IO[str]]:
    """The pipes to the driver, out of reach of libraries and of the programs they start."""
    asked, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return asked, answers
