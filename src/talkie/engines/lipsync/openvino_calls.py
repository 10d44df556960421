"""Calls of a network in OpenVINO, with their buffers: of the whole of it, and of its two halves.

Knows nothing of who waits for what.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.engines import openvino_runtime
from talkie.engines.lipsync.network import Array
from talkie.engines.lipsync.openvino_halves import ALIGNED, Halves
from talkie.engines.lipsync.signature import Signature
from talkie.video.cache import PictureCache

KEPT_BYTES = 256 * 1024 * 1024
"""Of what was made of source frames: some eighty of a network of 320 points, in BF16."""
_HOLDS: dict[int, type[np.floating[Any]]] = {2: np.float16, 4: np.float32}
"""NumPy has no BF16; any kind of that width holds its bytes."""


class WholeCall:
    def __init__(self, compiled: Any, signature: Signature, size: int) -> None:
        self._request = openvino_runtime.new_request(compiled)
        self.inputs, self._output = _buffers(signature, size)
        for tensor, buffer in zip(signature.inputs, self.inputs, strict=True):
            self._request.set_tensor(tensor.name, _shared(buffer))
        self._request.set_tensor(signature.output.name, _shared(self._output))

    def start(self, source: Hashable | None = None) -> None:
        self._request.start_async()

    def wait(self) -> Array:
        self._request.wait()
        return self._output


class KeptVisuals:
    """What was made of source frames, those used last the longest. Safe for threads."""

    def __init__(self, made_of: Halves) -> None:
        self._of = made_of
        self._cache = PictureCache(KEPT_BYTES)
        self.capacity = KEPT_BYTES // sum(made_of.sizes)

    def get(self, source: Hashable) -> NDArray[np.uint8] | None:
        return self._cache.get(source)

    def put(self, source: Hashable, made: NDArray[np.uint8]) -> None:
        self._cache.put(source, made)

    def new(self) -> NDArray[np.uint8]:
        """Room for the results of one frame."""
        spare = np.empty(sum(self._of.sizes) + ALIGNED, np.uint8)
        begin = -spare.ctypes.data % ALIGNED
        return spare[begin : begin + sum(self._of.sizes)]

    def tensors(self, made: NDArray[np.uint8]) -> Iterator[Any]:
        """The results that lie in it, without a copy; `made` must outlive them."""
        runtime, at = openvino_runtime.load(), 0
        for shape, size in zip(self._of.shapes, self._of.sizes, strict=True):
            numbers = made[at : at + prod(shape) * self._of.bytes_each].view(_HOLDS[self._of.bytes_each])
            yield runtime.Tensor(numbers.reshape(shape), runtime.Shape(list(shape)), self._of.kind)
            at += size


class HalvesCall:
    """One item at a time."""

    def __init__(self, seen: Any, heard: Any, kept: KeptVisuals, signature: Signature) -> None:
        self._kept = kept
        self._seen, self._heard = openvino_runtime.new_request(seen), openvino_runtime.new_request(heard)
        self.inputs, self._output = _buffers(signature, 1)
        self._seen.set_input_tensor(0, _shared(self.inputs[0]))
        for place, buffer in enumerate(self.inputs):
            self._heard.set_input_tensor(place, _shared(buffer))
        self._heard.set_output_tensor(0, _shared(self._output))
        self._at_work: NDArray[np.uint8] | None = None

    def start(self, source: Hashable | None = None) -> None:
        """A source that is new is looked at before this returns."""
        made = self._kept.get(source)
        if made is None:
            made = self._kept.new()
            for place, tensor in enumerate(self._kept.tensors(made)):
                self._seen.set_output_tensor(place, tensor)
            self._seen.infer()
            self._kept.put(source, made)
        for place, tensor in enumerate(self._kept.tensors(made)):
            self._heard.set_input_tensor(len(self.inputs) + place, tensor)
        self._at_work = made  # whoever else needs the room
        self._heard.start_async()

    def wait(self) -> Array:
        self._heard.wait()
        return self._output


def _buffers(signature: Signature, size: int) -> tuple[list[Array], Array]:
    inputs: list[Array] = [np.zeros((size, *tensor.shape), tensor.dtype) for tensor in signature.inputs]
    return inputs, np.zeros((size, *signature.output.shape), signature.output.dtype)


def _shared(buffer: Array) -> Any:
    return openvino_runtime.load().Tensor(buffer, shared_memory=True)
