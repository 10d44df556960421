"""A network that is open in some library: numbers in, numbers out, through buffers that were made once.

Knows no library; `onnx_network.py` and `openvino_network.py` are two. What comes in is cut into calls of the sizes that
the network has, and the last call is filled up with what its buffers hold.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from talkie.engines.lipsync.signature import Signature
from talkie.errors import EngineFailed, TalkieError

ENGINE = "face-onnx"
Floats = NDArray[np.float32]
Array = NDArray[Any]
Sources: TypeAlias = Sequence[Hashable | None]


class Network(Protocol):
    """`run` fills `out`, `(n, ...)`, from inputs `(n, ...)`; safe for threads. `warm` makes each size of call once,
    so that kernels, memory and threads are there when somebody waits. All raise `EngineFailed`.

    After `keep`, for so many `sources`, what is made of the first input alone is kept: a source is given for each item,
    and stands for its first input. `keeps` is that number, or 0: then nothing is kept, and sources mean nothing.
    """

    signature: Signature
    keeps: int

    def keep(self, sources: int) -> None: ...

    def run(self, inputs: Sequence[Floats], out: Floats, sources: Sources = ()) -> None: ...

    def warm(self) -> None: ...


def cuts(items: int, sizes: Sequence[int]) -> Iterator[tuple[slice, int]]:
    """Which items go into which call, and of what size that is: the least that holds them all, else the largest."""
    at = 0
    while at < items:
        size = next((one for one in sizes if one >= items - at), sizes[-1])
        yield slice(at, min(at + size, items)), size
        at += size


def fill(buffers: Sequence[Array], inputs: Sequence[Floats], items: slice) -> None:
    for buffer, given in zip(buffers, inputs, strict=True):
        np.copyto(buffer[: items.stop - items.start], given[items], casting="same_kind")


def drain(buffer: Array, out: Floats, items: slice) -> None:
    count = items.stop - items.start
    np.copyto(out[items], buffer[:count].reshape(out[items].shape), casting="same_kind")


@contextmanager
def running() -> Iterator[None]:
    try:
        yield
    except TalkieError:
        raise
    except Exception as error:  # whatever the library raises; its message holds no sound and no picture
        raise EngineFailed(ENGINE, str(error)[:300]) from error
