"""How long a user waits: for `talkie --help`, for `import talkie`, and for a server that is ready.

What is measured: wall seconds from starting the process, the median of several runs (the first is left out: it
fills the file cache). `ready` is when `/readyz` answers 200, so with the model loaded.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from talkie.bench.report import table
from talkie.bench.served import TALKIE, served


@dataclass(frozen=True, slots=True)
class StartResult:
    """Medians in seconds."""

    model: str
    python_s: float
    import_s: float
    help_s: float
    alive_s: float
    ready_s: float

    def as_json(self) -> dict[str, Any]:
        return {name: round(v, 3) if isinstance(v, float) else v for name, v in asdict(self).items()}


def measure(model: str, runs: int = 5, progress: Callable[[int], None] = lambda _: None) -> StartResult:
    """Raises `EngineFailed` when the server does not come up."""
    python_s = _median([sys.executable, "-c", "pass"], runs)
    import_s = _median([sys.executable, "-c", "import talkie, talkie.types"], runs)
    help_s = _median([*TALKIE, "--help"], runs)
    progress(1)
    starts = []
    with tempfile.TemporaryDirectory(prefix="talkie-bench-") as home:
        for number in range(max(2, runs // 2 + 1)):
            with served(Path(home), model=model) as server:
                starts.append((server.answers_s, server.ready_s))
            progress(number + 2)
    alive_s, ready_s = (statistics.median(seconds) for seconds in zip(*starts[1:], strict=True))
    return StartResult(model, python_s, import_s, help_s, alive_s, ready_s)


def as_table(result: StartResult) -> str:
    rows = (
        ("a bare Python", result.python_s),
        ("import talkie.types", result.import_s),
        ("talkie --help", result.help_s),
        ("talkie serve: first answer", result.alive_s),
        ("talkie serve: ready", result.ready_s),
    )
    return table(("from start to", "seconds"), [(name, f"{seconds:.3f}") for name, seconds in rows])


def _median(command: list[str], runs: int) -> float:
    return statistics.median([_seconds(command) for _ in range(runs + 1)][1:])


def _seconds(command: list[str]) -> float:
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return time.monotonic() - began
