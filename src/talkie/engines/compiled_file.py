"""A compiled graph in a file: written whole or not at all, read back only when not a bit of it has changed.

Knows nothing of what it holds. A damaged form could be opened all the same and give wrong numbers without a word, so
a checksum stands before it (CRC-32: against accidents; a directory that others may write to is not safe anyway).
"""

from __future__ import annotations

import logging
import os
import threading
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FORMAT = "talkie compiled graph 1"
SUFFIX = ".compiled"
MAX_KEPT = 6
"""Forms of one graph in one directory: machines that share a volume, precisions. The oldest go."""
MAX_HEAD_BYTES = 8192

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

    def read(self) -> bytes | None:
        """What was written, or nothing where there is none, or it is damaged or another's."""
        try:
            with self.path.open("rb") as file:
                head = file.readline(MAX_HEAD_BYTES)
                blob = file.read()
        except OSError:
            return None
        return blob if head == self._head(blob) else None

    def write(self, blob: bytes) -> None:
        """Kept where that is possible; a directory that cannot be written to costs time at the next start only."""
        part = self.path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            try:
                part.write_bytes(self._head(blob) + blob)
                part.replace(self.path)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            _log.info("A compiled graph could not be kept (%s).", type(error).__name__)
            return
        self._forget_old()

    def _head(self, blob: bytes) -> bytes:
        return f"{FORMAT}\t{zlib.crc32(blob):08x}\t{self.key}\n".encode()

    def _forget_old(self) -> None:
        with suppress(OSError):
            forms = sorted(self.directory.glob(f"{self.name}-*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
            for path in forms[:-MAX_KEPT]:
                path.unlink(missing_ok=True)
