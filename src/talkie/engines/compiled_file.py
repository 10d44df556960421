"""A compiled graph in a file: written whole or not at all, read back only when not a bit of it has changed.

Knows nothing of what it holds. A damaged form could be opened all the same and give wrong numbers without a word, so
a checksum stands before it (Fletcher's: against accidents; a directory that others may write to is not safe anyway).
It is mapped into memory, not read: to open 60 MB costs a few milliseconds.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FORMAT = "talkie compiled graph 2"
SUFFIX = ".compiled"
MAX_KEPT = 6
"""Forms of one graph in one directory: machines that share a volume, precisions. Those unused for longest go."""
PART = ".part"
LEFT_S = 600.0
"""A part that nobody wrote to for so long was left by a process that ended: it is thrown away."""
HEAD_BYTES = 8192
"""The line before the form, filled up with spaces, so that the form begins at the border of a page."""
_BLOCK_WORDS = 4096

Bytes = NDArray[np.uint8]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CompiledFile:
    """The form of the graph `name` in `directory` for `key`: one line that says all that the form depends on."""

    directory: Path
    name: str
    key: str

    @property
    def path(self) -> Path:
        return self.directory / f"{self.name}-{zlib.crc32(self.key.encode()):08x}{SUFFIX}"

    def read(self) -> Bytes | None:
        """What was written, or nothing where there is none, or it is damaged or another's. Changes to the array stay
        out of the file; it must outlive whatever was made of it without copying."""
        try:
            if self.path.stat().st_size <= HEAD_BYTES:
                return None
            whole: Bytes = np.memmap(self.path, np.uint8, "c")
        except OSError:
            return None
        blob = whole[HEAD_BYTES:]
        if whole[:HEAD_BYTES].tobytes() != self._head(blob):
            return None
        with suppress(OSError):
            os.utime(self.path)
        return blob

    def write(self, blob: bytes) -> None:
        """Kept where that is possible; a directory that cannot be written to costs time at the next start only."""
        part = self.path.with_suffix(f".{os.getpid()}-{threading.get_ident()}{PART}")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            try:
                part.write_bytes(self._head(np.frombuffer(blob, np.uint8)) + blob)
                part.replace(self.path)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            _log.info("A compiled graph could not be kept (%s).", type(error).__name__)
            return
        self._forget_old()

    def _head(self, blob: Bytes) -> bytes:
        return f"{FORMAT}\t{checksum(blob):032x}\t{self.key}\n".encode().ljust(HEAD_BYTES)[:HEAD_BYTES]

    def _forget_old(self) -> None:
        with suppress(OSError):
            forms = sorted(self.directory.glob(f"{self.name}-*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
            for path in (*forms[:-MAX_KEPT], *self._left()):
                path.unlink(missing_ok=True)

    def _left(self) -> list[Path]:
        parts = self.directory.glob(f"{self.name}-*{PART}")
        return [path for path in parts if path.stat().st_mtime < time.time() - LEFT_S]


def checksum(blob: Bytes) -> int:
    """Fletcher's: the sum of all 64-bit words, and the sum of the sums up to each block of them."""
    words = blob[: len(blob) // 8 * 8].view(np.uint64)
    whole = len(words) // _BLOCK_WORDS * _BLOCK_WORDS
    sums = words[:whole].reshape(-1, _BLOCK_WORDS).sum(axis=1, dtype=np.uint64)
    rest = np.array([words[whole:].sum(dtype=np.uint64), *blob[len(words) * 8 :], len(blob)], np.uint64)
    blocks = np.concatenate([sums, rest])
    return int(blocks.sum(dtype=np.uint64)) << 64 | int(np.cumsum(blocks, dtype=np.uint64).sum(dtype=np.uint64))
