"""Large blocks of memory that every batch wants again: kept, since taking them anew is a page fault for each 4 kB.

Knows nothing of what lies in them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.uint8]


class SpareBlocks:
    """Sets of blocks that nobody uses, at most `most` of them. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._sets: list[list[Block]] = []

    def take(self, sizes: Sequence[int]) -> list[Block]:
        """A block of at least each size, in bytes; what is in them is anything."""
        with self._lock:
            for number, blocks in enumerate(self._sets):
                if len(blocks) == len(sizes) and all(map(_holds, blocks, sizes)):
                    return self._sets.pop(number)
            if self._sets:
                self._sets.pop()  # too small: larger ones take its place
        return [np.empty(size, np.uint8) for size in sizes]

    def give(self, blocks: list[Block]) -> None:
        with self._lock:
            if len(self._sets) < self._most:
                self._sets.append(blocks)

    def close(self) -> None:
        with self._lock:
            self._sets.clear()
            self._most = 0


def _holds(block: Block, size: int) -> bool:
    return block.nbytes >= size
