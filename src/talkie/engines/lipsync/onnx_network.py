"""A network in ONNX Runtime: on the processor, or on a GPU through its CUDA and TensorRT providers.

Inputs and outputs are bound to buffers once for each size of call. On the processor a call is one frame (or the
network's own batch): more at once takes more memory and no less time. On a GPU calls have 1, 2, 4, ... frames, inputs
lie in memory of the device, and what is copied there and back in memory that the device reads by itself, where the
library offers some. Knows nothing of faces.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from talkie.engines.lipsync.network import Array, Floats, Sources, cuts, drain, fill, running
from talkie.engines.lipsync.signature import MAX_BATCH, Port, Signature, Tensor
from talkie.errors import BadAvatar, EngineUnavailable

CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
_QUIET = 4

ReadSignature = Callable[[str, Sequence[Port], Sequence[Port]], Signature]


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """`providers` in order of choice, the processor's last. `threads` are those of the processor."""

    providers: tuple[str, ...] = (CPU,)
    threads: int = 1
    max_batch: int = 1

    @property
    def gpu(self) -> bool:
        return self.providers[0] != CPU


def installed() -> bool:
    """Whether ONNX Runtime is here; imports nothing."""
    return "onnxruntime" in sys.modules or find_spec("onnxruntime") is not None


def library() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineUnavailable("face-onnx", "onnxruntime is not installed") from error
    return onnxruntime


def providers() -> tuple[str, ...]:
    """What this installation of ONNX Runtime was built with. Raises `EngineUnavailable`."""
    return tuple(library().get_available_providers())


class OnnxNetwork:
    def __init__(self, path: Path, read: ReadSignature, options: SessionOptions) -> None:
        self._session = _session(path, options)
        self.providers = tuple(self._session.get_providers())
        self.signature = read(path.name, _ports(self._session.get_inputs()), _ports(self._session.get_outputs()))
        self._on_gpu = self.providers[0] != CPU
        device = "cuda" if self._on_gpu else ""
        self._calls = {size: Call(self._session, self.signature, size, device) for size in self._sizes(options)}
        self._sizes_made = tuple(sorted(self._calls))
        self._lock = Lock()
        self.keeps = 0

    def keep(self, sources: int) -> None:
        """ONNX Runtime computes the whole of it each time."""

    def run(self, inputs: Sequence[Floats], out: Floats, sources: Sources = ()) -> None:
        with self._lock, running():
            for items, size in cuts(len(out), self._sizes_made):
                call = self._calls[size]
                fill(call.inputs, inputs, items)
                drain(call.run(), out, items)

    def warm(self) -> None:
        with running():
            for call in self._calls.values():
                call.run()

    def _sizes(self, options: SessionOptions) -> list[int]:
        if self.signature.batch is not None:
            return [self.signature.batch]
        if not self._on_gpu:
            return [1]
        powers = [1 << n for n in range(MAX_BATCH.bit_length()) if 1 << n < options.max_batch]
        return [*powers, options.max_batch]


class Call:
    """One size of call: its buffers, and their binding to the network. `device` is where inputs are copied to first;
    empty: they are read where they lie."""

    def __init__(self, session: Any, signature: Signature, size: int, device: str = "") -> None:
        self._session = session
        self._binding = session.io_binding()
        self._device = device
        self._keep: list[Any] = []
        self._remote: list[Any] = []
        self.inputs = [self._input(tensor, size) for tensor in signature.inputs]
        self.output = self._host(signature.output, size)
        tensor = signature.output
        self._binding.bind_output(tensor.name, "cpu", 0, tensor.dtype, self.output.shape, self.output.ctypes.data)

    def run(self) -> Array:
        for buffer, remote in zip(self.inputs, self._remote, strict=False):
            remote.update_inplace(buffer)
        self._session.run_with_iobinding(self._binding)
        return self.output

    def _input(self, tensor: Tensor, size: int) -> Array:
        buffer = self._host(tensor, size)
        if self._device:
            remote = library().OrtValue.ortvalue_from_numpy(buffer, self._device, 0)
            self._remote.append(remote)
            self._binding.bind_ortvalue_input(tensor.name, remote)
        else:
            self._binding.bind_input(tensor.name, "cpu", 0, tensor.dtype, buffer.shape, buffer.ctypes.data)
        return buffer

    def _host(self, tensor: Tensor, size: int) -> Array:
        pinned = _pinned(tensor, size) if self._device else None
        if pinned is None:
            return np.zeros((size, *tensor.shape), tensor.dtype)
        self._keep.append(pinned)
        buffer: Array = pinned.numpy()
        buffer.fill(0)
        return buffer


def _pinned(tensor: Tensor, size: int) -> Any | None:
    """Memory of this machine that the GPU reads by itself; None where this ONNX Runtime offers none."""
    runtime = library()
    try:
        wanted = runtime.OrtDeviceMemoryType.HOST_ACCESSIBLE
        devices = [one for one in runtime.get_ep_devices() if one.ep_name == CUDA]
        memory = devices[0].memory_info(wanted)
        shape = (size, *tensor.shape)
        value = runtime.OrtValue.ortvalue_from_shape_and_type(shape, tensor.dtype, memory_info=memory)
        view: Array = value.numpy()
        return value if view.ctypes.data == value.data_ptr() and view.flags.writeable else None
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError):
        return None


def _session(path: Path, options: SessionOptions) -> Any:
    runtime = library()
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = _QUIET
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the processors are somebody else's too
    try:
        return runtime.InferenceSession(path, sess_options=settings, providers=list(options.providers))
    except Exception as error:  # a damaged or unknown graph has a dozen classes of error
        raise BadAvatar(path.name, f"ONNX Runtime cannot open it: {_short(error)}") from error


def _ports(declared: Sequence[Any]) -> list[Port]:
    return [Port(one.name, tuple(one.shape), one.type) for one in declared]


def _short(error: Exception) -> str:
    """Its last part: what comes before names code and paths."""
    return str(error).rsplit(" : ", 1)[-1].strip()[:200] or type(error).__name__
