"""A line of limited speed, shared by all who send over it. Knows nothing of what is sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

PIECE_BYTES = 1 << 18


@dataclass(slots=True)
class Line:
    """`bytes_s` in all directions together; 0 is as fast as it goes. `sent` counts every byte."""

    bytes_s: float
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    sent: int = 0
    _free_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pass_on(self, size: int) -> None:
        """Wait until so many bytes would have gone over the line."""
        with self._lock:
            self.sent += size
            if self.bytes_s <= 0:
                return
            now = self.clock()
            self._free_at = max(self._free_at, now) + size / self.bytes_s
            left = self._free_at - now
        if left > 0:
            self.wait(left)

    def copy(self, source: BinaryIO, target: BinaryIO, size: int = -1) -> None:
        """At most `size` bytes, all of them when negative."""
        while size != 0:
            piece = source.read(PIECE_BYTES if size < 0 else min(size, PIECE_BYTES))
            if not piece:
                return
            self.pass_on(len(piece))
            target.write(piece)
            size -= len(piece) if size > 0 else 0
