"""OpenVINO without the parts that only converters need: loaded lightly, graphs compiled once and kept beside the model.

Knows nothing of the graphs. `import openvino` brings a converter, seventeen sets of operations and telemetry along;
what runs a graph is its compiled module and a few wrappers around it, a third of the time. What was compiled is data,
never code: OpenVINO makes its machine code anew whenever it opens a graph.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any

from talkie.engines.compiled_file import CompiledFile
from talkie.errors import EngineFailed, EngineUnavailable

PACKAGE = "openvino"
KEPT_SHAPES = 64
"""Prepared kernels that a graph of changing shapes keeps. Live sessions bring hundreds of shapes: with the 5000 of the
library memory grows for an hour, and nothing is faster."""
DEVICE = "CPU"
_ARITHMETIC = ("FP32", "BF16", "FP16", "INT8")

_log = logging.getLogger(__name__)
_lock = RLock()


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """How a graph is run: `streams` callers at once on `threads` processors together.

    `precision` is that of the arithmetic outside of what the graph itself quantises, and of kept keys and values.
    How activations before INT8 weights are quantised is left to the library: told to leave them as they are, it takes
    half as long again for Whisper's decoder, in BF16 too.
    """

    threads: int = 1
    streams: int = 1
    precision: str = "f32"

    def properties(self) -> dict[str, Any]:
        """As OpenVINO names them. Threads are never pinned: in a container the processors are somebody else's too."""
        return {
            "NUM_STREAMS": str(self.streams),
            "INFERENCE_NUM_THREADS": self.threads,
            "INFERENCE_PRECISION_HINT": self.precision,
            "ENABLE_CPU_PINNING": False,
            "KV_CACHE_PRECISION": self.precision,
            "CPU_RUNTIME_CACHE_CAPACITY": KEPT_SHAPES,
        }


def available() -> bool:
    """Whether OpenVINO is installed; imports nothing."""
    return PACKAGE in sys.modules or find_spec(PACKAGE) is not None


def load() -> ModuleType:
    """OpenVINO's names for running graphs: `Core`, `Tensor`, `Type`, `Shape`, ... Thread-safe; loads once.

    A plain `import openvino`, before or after, gives the same classes. Raises `EngineUnavailable`.
    """
    with _lock:
        return _load()


@cache
def core() -> Any:
    """The one `Core` of this process: with it its plugins are loaded once."""
    try:
        return load().Core()
    except RuntimeError as error:
        raise EngineUnavailable(PACKAGE, str(error)) from error


def version() -> str:
    """As in `2026.4.1-22982-...`. Raises `EngineUnavailable`."""
    return str(load().get_version())


def capabilities() -> tuple[str, ...]:
    """What it can compute with on this processor, as in `("BF16", "FP32", "INT8")`. Raises `EngineUnavailable`."""
    return tuple(sorted(name for name in _property("OPTIMIZATION_CAPABILITIES") if name in _ARITHMETIC))


def compile_model(
    source: Any,
    *,
    threads: int = 1,
    streams: int = 1,
    precision: str = "f32",
    cache_dir: Path | None = None,
) -> Any:
    """`compile_graph` with the options that are mostly wanted."""
    return compile_graph(source, GraphOptions(threads, streams, precision), cache_dir)


def new_request(compiled: Any) -> Any:
    """One call at a time of a compiled graph, which stays in memory as long as its requests do."""
    request = compiled.create_infer_request()
    request.of = compiled
    return request


def compile_graph(source: Any, options: GraphOptions, cache_dir: Path | None = None) -> Any:
    """A `CompiledModel` of a graph in a file (IR or ONNX) or of a `Model` in memory.

    With `cache_dir` the compiled form of a file is kept there and opened the next time; what is damaged, or was made
    from another file, by another version or for another processor, is made again. Raises `EngineUnavailable`,
    and `EngineFailed` where the graph cannot be compiled.
    """
    runtime = core()
    kept = _kept(source, options, cache_dir) if cache_dir is not None and isinstance(source, Path) else None
    compiled = _opened(runtime, kept, options) if kept is not None else None
    if compiled is not None:
        return compiled
    try:
        compiled = runtime.compile_model(source, DEVICE, options.properties())
    except (RuntimeError, TypeError, ValueError) as error:
        raise EngineFailed(PACKAGE, _first_line(error)) from error
    if kept is not None:
        exported = BytesIO()
        compiled.export_model(exported)
        kept.write(exported.getvalue())
    return compiled


@cache
def _load() -> ModuleType:
    whole = sys.modules.get(PACKAGE)
    return whole if whole is not None and hasattr(whole, "Core") else _load_running_parts()


def _load_running_parts() -> ModuleType:
    """Stands in for the package while these are imported, then makes way for the package itself."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EngineUnavailable(PACKAGE, "it is not installed.", hint="`pip install openvino` in Talkie's environment.")
    stand_in = ModuleType(PACKAGE)
    stand_in.__path__ = list(spec.submodule_search_locations)
    sys.modules[PACKAGE] = stand_in
    try:
        import_module("openvino.package_utils")._add_openvino_libs_to_search_path()
        _take_names(stand_in, import_module("openvino._pyopenvino"))
        stand_in.Op = import_module("openvino._op_base").Op  # type: ignore[attr-defined]
        _take_names(stand_in, import_module("openvino._ov_api"))
    except Exception:  # another version may be put together otherwise: then the whole of it
        _log.debug("OpenVINO cannot be loaded in parts.", exc_info=True)
        del sys.modules[PACKAGE]
        return _load_whole()
    del sys.modules[PACKAGE]
    return stand_in


def _load_whole() -> ModuleType:
    try:
        return import_module(PACKAGE)
    except Exception as error:  # a library that is missing, or one for another processor
        raise EngineUnavailable(PACKAGE, _first_line(error)) from error


def _take_names(module: ModuleType, source: ModuleType) -> None:
    vars(module).update({name: value for name, value in vars(source).items() if not name.startswith("_")})


def _kept(source: Path, options: GraphOptions, directory: Path) -> CompiledFile:
    """The whole form with its weights: with CACHE_MODE OPTIMIZE_SIZE some graphs come back with the wrong constants."""
    files = [file for file in (source, source.with_suffix(".bin")) if file.exists()]
    stamps = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return CompiledFile(directory, source.name, repr((version(), _processor(), options.properties(), stamps)))


def _opened(runtime: Any, kept: CompiledFile, options: GraphOptions) -> Any | None:
    blob = kept.read()
    if blob is None:
        return None
    try:
        compiled = runtime.import_model(load().Tensor(blob, shared_memory=True), DEVICE, options.properties())
        compiled.kept = blob  # its weights lie there: they must not go before it does
        return compiled
    except (RuntimeError, TypeError, ValueError):
        _log.info("A compiled graph does not fit this OpenVINO and is made again.")
        return None


@cache
def _processor() -> tuple[str, ...]:
    """What a compiled form depends on: the name, and what OpenVINO can do on it (BF16, INT8)."""
    return (_property("FULL_DEVICE_NAME"), *capabilities())


def _property(name: str) -> Any:
    try:
        return core().get_property(DEVICE, name)
    except RuntimeError as error:
        raise EngineUnavailable(PACKAGE, _first_line(error)) from error


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]
