"""A network in OpenVINO, on the processor: several frames at once, two threads for each.

On a processor a frame by itself is computed as fast as in a batch, in a fraction of the memory, so a network of an open
batch is compiled for one frame. Knows nothing of faces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talkie.engines import openvino_runtime
from talkie.engines.lipsync.network import Array, Floats, cuts, drain, fill, running
from talkie.engines.lipsync.signature import Port, Signature
from talkie.errors import BadAvatar

MAX_STREAMS = 8
_THREADS_A_STREAM = 2
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
        self.signature = signature
        self._size = signature.batch or 1
        streams = max(1, min(MAX_STREAMS, threads // _THREADS_A_STREAM))
        options = openvino_runtime.GraphOptions(threads, streams, precision)
        with running():
            model = openvino_runtime.core().read_model(path)
            model.reshape({tensor.name: [self._size, *tensor.shape] for tensor in signature.inputs})
            compiled = openvino_runtime.compile_graph(model, options)
            self._calls = [_Call(compiled, signature, self._size) for _ in range(streams)]

    def run(self, inputs: Sequence[Floats], out: Floats) -> None:
        with running():
            under_way: list[tuple[_Call, slice]] = []
            try:
                for number, (items, _) in enumerate(cuts(len(out), (self._size,))):
                    call = self._calls[number % len(self._calls)]
                    if len(under_way) == len(self._calls):
                        first, done = under_way.pop(0)
                        drain(first.wait(), out, done)
                    fill(call.inputs, inputs, items)
                    call.start()
                    under_way.append((call, items))
                while under_way:
                    first, done = under_way.pop(0)
                    drain(first.wait(), out, done)
            finally:
                for call, _ in under_way:  # after an error: nobody writes into buffers that are used again
                    call.request.wait()

    def warm(self) -> None:
        with running():
            for call in self._calls:
                call.start()
            for call in self._calls:
                call.wait()


class _Call:
    """One request with its buffers."""

    def __init__(self, compiled: Any, signature: Signature, size: int) -> None:
        tensor_of = openvino_runtime.load().Tensor
        self.request = openvino_runtime.new_request(compiled)
        self.inputs = [np.zeros((size, *tensor.shape), tensor.dtype) for tensor in signature.inputs]
        for tensor, buffer in zip(signature.inputs, self.inputs, strict=True):
            self.request.set_tensor(tensor.name, tensor_of(buffer, shared_memory=True))
        self._output: Array = np.zeros((size, *signature.output.shape), signature.output.dtype)
        self.request.set_tensor(signature.output.name, tensor_of(self._output, shared_memory=True))

    def start(self) -> None:
        self.request.start_async()

    def wait(self) -> Array:
        self.request.wait()
        return self._output


def _port(declared: Any) -> Port:
    """As ONNX Runtime names kinds; a dimension that is open is None."""
    shape = declared.partial_shape
    sizes = tuple(one.get_length() if one.is_static else None for one in shape) if shape.rank.is_static else ()
    kind = declared.element_type.get_type_name()
    return Port(declared.any_name, sizes, _KINDS.get(kind, f"tensor({kind})"))
