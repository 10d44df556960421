"""A converted model, compiled for this processor and ready to run: four graphs, loaded when they are first needed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.engines import openvino_runtime

ENCODER, ENCODER_OF_ANY_LENGTH, CROSS, STEP = "encoder", "encoder_any", "cross", "step"
GRAPHS = (ENCODER, ENCODER_OF_ANY_LENGTH, CROSS, STEP)


@dataclass(frozen=True, slots=True)
class Running:
    """`workers` callers at once, each on `threads` processors; `precision` f32 or bf16."""

    precision: str
    threads: int = 1
    workers: int = 1


def put(tensor: Any, array: NDArray[Any]) -> None:
    """Copy into a tensor of a request: an input that is shared, and moves from call to call, is read wrongly."""
    if tuple(tensor.shape) != array.shape:
        tensor.shape = array.shape
    tensor.data[...] = array


def run(request: Any) -> list[NDArray[np.float32]]:
    """All outputs, where they lie: good until the request runs again."""
    return list(request.infer({}, share_inputs=True, share_outputs=True).values())


class Compiled:
    """The graphs of one model. Thread-safe; requests are made once and lent out."""

    def __init__(self, directory: Path, running: Running) -> None:
        self._directory = directory
        self._running = running
        self._lock = threading.Lock()
        self._graphs: dict[str, Any] = {}
        self._idle: dict[str, list[Any]] = {}

    def graph(self, name: str) -> Any:
        with self._lock:
            if name not in self._graphs:
                self._graphs[name] = openvino_runtime.compile_model(
                    self._directory / f"{name}.xml",
                    threads=self._running.threads * self._running.workers,
                    streams=self._running.workers,
                    precision=self._running.precision,
                    cache_dir=self._directory / "compiled",
                )
            return self._graphs[name]

    @contextmanager
    def request(self, name: str) -> Iterator[Any]:
        """A request of a graph without state, for one caller at a time."""
        graph = self.graph(name)
        with self._lock:
            idle = self._idle.setdefault(name, [])
            request = idle.pop() if idle else None
        request = request or openvino_runtime.new_request(graph)
        yield request  # a request that failed is not lent out again
        with self._lock:
            idle.append(request)

    def close(self) -> None:
        with self._lock:
            self._idle.clear()
            self._graphs.clear()
