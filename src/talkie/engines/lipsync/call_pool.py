"""The calls of a network that can be under way at once: who has frames takes those that are free.

Knows no library and no network; whoever takes calls holds none while it waits for one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Protocol

from talkie.engines.lipsync.network import Array, Floats, Sources, cuts, drain, fill


class Call(Protocol):
    """One call and its buffers. `start` returns at once; `wait` after a `start` that failed is harmless."""

    inputs: list[Array]

    def start(self, source: Hashable | None = None) -> None: ...

    def wait(self) -> Array: ...


class CallPool:
    """Safe for threads."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._free: SimpleQueue[Call] = SimpleQueue()
        for call in calls:
            self._free.put(call)

    def run(self, inputs: Sequence[Floats], out: Floats, size: int, sources: Sources = ()) -> None:
        """Items in calls of `size`. Raises what a call raises; then nobody writes into its buffers any more."""
        under_way: deque[tuple[Call, slice]] = deque()
        try:
            for items, _ in cuts(len(out), (size,)):
                call = self._next(under_way, out)
                under_way.append((call, items))
                fill(call.inputs, inputs, items)
                call.start(sources[items.start] if sources else None)
            while under_way:
                self._land(under_way, out)
        finally:
            for call, _ in under_way:
                with suppress(Exception):  # the first error is on its way
                    call.wait()
                self._free.put(call)

    def warm(self) -> None:
        """Each call once, all at once. Nobody else may call meanwhile."""
        for call in self._calls:
            call.start(_NOBODY)
        for call in self._calls:
            call.wait()

    def _next(self, under_way: deque[tuple[Call, slice]], out: Floats) -> Call:
        """A free one, where there is none the one that was started first; who has none waits."""
        while under_way:
            try:
                return self._free.get_nowait()
            except Empty:
                self._land(under_way, out)
        return self._free.get()

    def _land(self, under_way: deque[tuple[Call, slice]], out: Floats) -> None:
        call, items = under_way[0]
        drain(call.wait(), out, items)
        under_way.popleft()
        self._free.put(call)


_NOBODY = object()
"""A source that nobody shows."""
