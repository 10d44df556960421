"""The Silero graph in a library that runs it: OpenVINO, or ONNX Runtime at three times the cost.

Knows the inputs and outputs of the graph (see `silero`), and nothing of streams. Both give the same probabilities to
five digits; OpenVINO is held to 32-bit numbers, since BF16 is off by 0.15.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from talkie.engines import openvino_runtime
from talkie.errors import EngineFailed, EngineUnavailable, InvalidValue

Floats = NDArray[np.float32]
State = tuple[Floats, Floats]

ONNXRUNTIME, OPENVINO, AUTO = "onnxruntime", "openvino", "auto"
RUNTIMES = (AUTO, OPENVINO, ONNXRUNTIME)
MAX_STREAMS = 4
_QUIET = 4


class SileroGraph(Protocol):
    """`name` is that of the library."""

    name: str

    def run(self, windows: Floats, state: State) -> tuple[Floats, State]:
        """`(n, 576)` and a state to `(n,)` and the next state. Thread-safe."""
        ...


class OnnxRuntimeGraph:
    """One thread: the windows of a recording depend on each other, and other recordings use the other cores."""

    name = ONNXRUNTIME

    def __init__(self, path: Path, cache_dir: Path | None = None) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise EngineUnavailable("silero", "onnxruntime is not installed") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = _QUIET
        with _loading():
            self._session = onnxruntime.InferenceSession(path, sess_options=options, providers=["CPUExecutionProvider"])

    def run(self, windows: Floats, state: State) -> tuple[Floats, State]:
        with _running():
            found, h, c = self._session.run(None, {"input": windows, "h": state[0], "c": state[1]})
        return np.asarray(found, np.float32).reshape(-1), (h, c)


class OpenVinoGraph:
    """As many callers at once as there are processors, a request each; a request that failed is not used again."""

    name = OPENVINO

    def __init__(self, path: Path, cache_dir: Path | None = None) -> None:
        streams = min(MAX_STREAMS, _processors())
        openvino_runtime.core()
        with _loading():
            options = openvino_runtime.GraphOptions(threads=streams, streams=streams, precision="f32")
            self._graph = openvino_runtime.compile_graph(path, options, cache_dir)
        self._idle: list[Any] = []
        self._lock = Lock()

    def run(self, windows: Floats, state: State) -> tuple[Floats, State]:
        with self._lock:
            request = self._idle.pop() if self._idle else None
        with _running():
            request = request or openvino_runtime.new_request(self._graph)
            outputs = request.infer({"input": windows, "h": state[0], "c": state[1]}, share_outputs=True)
            found, h, c = (np.array(outputs[number], np.float32) for number in range(3))
        with self._lock:
            self._idle.append(request)
        return found.reshape(-1), (h, c)


_GRAPHS: dict[str, Callable[[Path, Path | None], SileroGraph]] = {
    OPENVINO: OpenVinoGraph,
    ONNXRUNTIME: OnnxRuntimeGraph,
}


def open_graph(path: Path, runtime: str = AUTO, cache_dir: Path | None = None) -> SileroGraph:
    """`auto`: OpenVINO where it is installed and works. Raises `EngineUnavailable`, `InvalidValue` for other names."""
    if runtime not in RUNTIMES:
        raise InvalidValue("runtime", f"{runtime!r} is not a runtime: {', '.join(RUNTIMES)}.")
    if runtime != AUTO:
        return _GRAPHS[runtime](path, cache_dir)
    if openvino_runtime.available():
        try:
            return OpenVinoGraph(path, cache_dir)
        except EngineUnavailable:  # a file that is damaged is so for the other library too, which then says it
            pass
    return OnnxRuntimeGraph(path)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _loading() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a damaged file has a dozen classes of error
        raise EngineUnavailable("silero", f"its model file could not be loaded ({type(error).__name__})") from error


@contextmanager
def _running() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever the library raises; its message holds no audio
        raise EngineFailed("silero", str(error)) from error
