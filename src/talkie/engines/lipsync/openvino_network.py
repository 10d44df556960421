"""A network in OpenVINO, on the processor.

A frame by itself is computed as fast there as in a batch, in a fraction of the memory, so a network of an open batch is
compiled for one frame. A frame that nobody knows has two threads. One of a known source, of which more are to come, has
one: threads that wait for one another lose more than they win (docs/decisions/0118). Knows nothing of faces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from talkie.engines import openvino_runtime
from talkie.engines.lipsync.call_pool import CallPool
from talkie.engines.lipsync.network import Floats, Sources, running
from talkie.engines.lipsync.openvino_calls import HalvesCall, KeptVisuals, WholeCall
from talkie.engines.lipsync.openvino_halves import halves
from talkie.engines.lipsync.signature import Port, Signature
from talkie.errors import BadAvatar

MAX_STREAMS = 8
LOOP = 2
"""Frames go forward and backward: of twice as many as there is room for half are found, the last of them. Where fewer
are, keeping costs more than it saves."""
_KINDS = {"f32": "tensor(float)", "f16": "tensor(float16)"}
ReadSignature = Callable[[str, Sequence[Port], Sequence[Port]], Signature]


def read_signature(path: Path, read: ReadSignature) -> Signature:
    """Raises `BadAvatar` for a file that is no such network, `EngineUnavailable` without OpenVINO."""
    runtime = openvino_runtime.core()
    try:
        model = runtime.read_model(path)
        inputs, outputs = [_port(one) for one in model.inputs], [_port(one) for one in model.outputs]
    except RuntimeError as error:
        last = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise BadAvatar(path.name, f"OpenVINO cannot open it: {last[0].strip()[:200]}") from error
    return read(path.name, inputs, outputs)


class OpenVinoNetwork:
    """`precision` is `f32` or `bf16`. Raises `EngineUnavailable`, and `EngineFailed` for a graph it cannot compile."""

    def __init__(self, path: Path, signature: Signature, *, precision: str, threads: int) -> None:
        self.signature, self.keeps = signature, 0
        self._path, self._size = path, signature.batch or 1
        self._precision, self._threads = precision, threads
        self._lock = Lock()
        self._halved: CallPool | None = None
        with running():
            self._whole: CallPool | None = self._whole_pool()

    def keep(self, sources: int) -> None:
        """The whole makes room for its halves: it is opened again where somebody brings frames that have no name."""
        if self._size != 1 or not sources:
            return
        with running():
            found = halves(self._model(), self.signature, self._precision)
            if found is None or sources > LOOP * (kept := KeptVisuals(found)).capacity:
                return
            self._whole = None
            alone, beside = self._options(streams=1), self._options(streams=self._threads)
            seen = openvino_runtime.compile_graph(found.seen, alone)
            heard = openvino_runtime.compile_graph(found.heard, beside)
            calls = [HalvesCall(seen, heard, kept, self.signature) for _ in range(beside.streams)]
            self._halved, self.keeps = CallPool(calls), sources

    def run(self, inputs: Sequence[Floats], out: Floats, sources: Sources = ()) -> None:
        with running():
            if self._halved is not None and sources and None not in sources:
                self._halved.run(inputs, out, self._size, sources)
            else:
                self._opened_whole().run(inputs, out, self._size)

    def warm(self) -> None:
        with running():
            (self._halved or self._opened_whole()).warm()

    def _opened_whole(self) -> CallPool:
        with self._lock:
            self._whole = self._whole or self._whole_pool()
            return self._whole

    def _whole_pool(self) -> CallPool:
        options = self._options(streams=self._threads // 2)
        compiled = openvino_runtime.compile_graph(self._model(), options)
        return CallPool([WholeCall(compiled, self.signature, self._size) for _ in range(options.streams)])

    def _options(self, *, streams: int) -> openvino_runtime.GraphOptions:
        return openvino_runtime.GraphOptions(self._threads, max(1, min(MAX_STREAMS, streams)), self._precision)

    def _model(self) -> Any:
        model = openvino_runtime.core().read_model(self._path)
        model.reshape({tensor.name: [self._size, *tensor.shape] for tensor in self.signature.inputs})
        return model


def _port(declared: Any) -> Port:
    """As ONNX Runtime names kinds; a dimension that is open is None."""
    shape = declared.partial_shape
    sizes = tuple(one.get_length() if one.is_static else None for one in shape) if shape.rank.is_static else ()
    kind = declared.element_type.get_type_name()
    return Port(declared.any_name, sizes, _KINDS.get(kind, f"tensor({kind})"))
