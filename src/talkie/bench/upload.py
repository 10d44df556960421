"""How fast a server takes an upload: megabytes a second over loopback, from the first byte to the answer.

The request names a model that is not there, which the server says when all of the form has arrived: so what is
measured is receiving, parsing and keeping the file, and nothing of hearing it. The file is noise: no part of the way
can make it smaller.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkie.bench.served import served
from talkie.errors import ModelNotFound

NOT_THERE = "no-such-model"
SIZE_BYTES = 64_000_000
"""Below the largest upload that a server takes unless told otherwise."""


@dataclass(frozen=True, slots=True)
class UploadResult:
    """Seconds of each upload, the first one left out."""

    size_bytes: int
    seconds: tuple[float, ...]

    @property
    def megabytes_s(self) -> float:
        return self.size_bytes / 1e6 / statistics.median(self.seconds)

    def as_json(self) -> dict[str, Any]:
        return {
            "upload_mb_s": round(self.megabytes_s, 1),
            "size_mb": self.size_bytes / 1e6,
            "seconds": [round(one, 4) for one in self.seconds],
        }


def measure(
    model: str, runs: int = 5, size_bytes: int = SIZE_BYTES, progress: Callable[[int], None] = lambda _: None
) -> UploadResult:
    """Raises `EngineFailed` when the server does not come up."""
    seconds = []
    with tempfile.TemporaryDirectory(prefix="talkie-bench-") as home:
        path = Path(home) / "noise.wav"
        path.write_bytes(np.random.default_rng(0).bytes(size_bytes))
        with served(Path(home), model=model) as server:
            for number in range(runs + 1):
                began = time.monotonic()
                with suppress(ModelNotFound):
                    server.client.transcribe(path, model=NOT_THERE)
                seconds.append(time.monotonic() - began)
                progress(number)
    return UploadResult(size_bytes, tuple(seconds[1:]))
