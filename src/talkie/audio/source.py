"""The bytes of a recording: opened, measured, and handed to a decoder in a way that it cannot reach past.

Knows nothing of formats, but for ID3v2 tags: they are stepped over here, so that no decoder ever unpacks one (a tag
may hold compressed frames that grow a thousandfold). A pipe is spooled to a nameless temporary file first, because most
containers want to seek. Nothing here, and nothing behind it, ever sees a file name again.
"""

from __future__ import annotations

import io
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from talkie.errors import AudioTooLarge, EmptyAudio, UndecodableAudio, UnreadableFile

COPY_BYTES = 1 << 20
SPOOL_MEMORY_BYTES = 8 << 20
SPOOL_MAX_BYTES = 16 << 30
"""The most that is taken from a pipe where no limit was given: a bound, not a wish."""
MAX_TAGS = 8
ID3_HEADER_BYTES = 10


class Source:
    """A seekable file and its length. `start` is where the recording begins in it, after tags."""

    def __init__(self, file: IO[bytes], close: Callable[[], None], descriptor: int | None = None) -> None:
        self.file = file
        self._close = close
        self._descriptor = descriptor
        self.start = 0
        self.end = file.seek(0, io.SEEK_END)

    @property
    def size(self) -> int:
        """Bytes of the recording, tags not counted."""
        return self.end - self.start

    def peek(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes at `offset` from the start of the recording; a negative offset counts from the end."""
        base = self.end if offset < 0 else self.start
        self.file.seek(max(self.start, base + offset))
        parts: list[bytes] = []
        while count > 0 and (part := self.file.read(count)):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def rewound_descriptor(self) -> int | None:
        """The file descriptor, set to the start; None unless we opened the file and the recording begins at its 0.

        What others opened is never asked for one: a spooled upload would be written to disk to have it.
        """
        if self._descriptor is None or self.start:
            return None
        self.file.seek(0)
        return self._descriptor

    def reader(self, *, raises: bool = True) -> Reader:
        return Reader(self, raises)

    def close(self) -> None:
        self._close()


class Reader:
    """A file object over a `Source` for libraries that call back. It has no name, and an end to its patience.

    A malformed container can send a demuxer to and fro for ever; a reader gives up after `BUDGET` times the file: it
    raises, or, for a library whose callbacks cannot, it says that the file has ended.
    """

    BUDGET = 8
    CALL_BYTES = 512  # what a call costs at least
    ROOM_BYTES = 32 << 20

    def __init__(self, source: Source, raises: bool) -> None:
        self._source, self._raises = source, raises
        self._place = 0
        self._left = self.BUDGET * source.size + self.ROOM_BYTES

    def read(self, count: int = -1) -> bytes:
        source = self._source
        rest = max(0, source.size - self._place)
        wanted = rest if count < 0 else min(count, rest)
        self._left -= max(wanted, self.CALL_BYTES)
        if self._left < 0 and self._raises:
            raise UndecodableAudio("its parts refer to each other without end.")
        if self._left < 0:
            return b""
        source.file.seek(source.start + self._place)
        data = source.file.read(wanted)
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._source.size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def open_source(source: Path | IO[bytes], max_bytes: int | None = None) -> Source:
    """A file by path, or an open one: read from its beginning, or from where it is when it cannot seek.

    Raises `UnreadableFile` where it cannot be opened, `AudioTooLarge` and `EmptyAudio`. An open file stays the
    caller's to close.
    """
    try:
        opened = _open(source, max_bytes)
    except OSError as error:
        raise UnreadableFile(error.strerror or type(error).__name__) from None
    try:
        if max_bytes is not None and opened.end > max_bytes:
            raise AudioTooLarge(max_bytes)
        if not opened.end:
            raise EmptyAudio
        _skip_tags(opened)
    except BaseException:
        opened.close()
        raise
    return opened


def _open(source: Path | IO[bytes], max_bytes: int | None) -> Source:
    if not isinstance(source, Path):
        return Source(source, lambda: None) if _seekable(source) else _spool(source, max_bytes)
    file = cast("IO[bytes]", source.open("rb", buffering=0))
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return Source(file, file.close, file.fileno())
    with file:
        return _spool(file, max_bytes)


def _seekable(file: IO[bytes]) -> bool:
    seekable = getattr(file, "seekable", None)
    return bool(seekable()) if seekable is not None else hasattr(file, "seek")


def _spool(stream: IO[bytes], max_bytes: int | None) -> Source:
    limit = SPOOL_MAX_BYTES if max_bytes is None else max_bytes
    file = tempfile.SpooledTemporaryFile(max_size=SPOOL_MEMORY_BYTES)  # noqa: SIM115 - closed by the Source
    try:
        held = 0
        while part := stream.read(COPY_BYTES):
            held += len(part)
            if held > limit:
                raise AudioTooLarge(limit)
            file.write(part)
    except BaseException:
        file.close()
        raise
    return Source(cast("IO[bytes]", file), file.close)


def _skip_tags(source: Source) -> None:
    """Step over ID3v2 tags (id3.org/id3v2.4.0-structure): the size is four bytes of seven bits."""
    for _ in range(MAX_TAGS):
        head = source.peek(0, ID3_HEADER_BYTES)
        if len(head) < ID3_HEADER_BYTES or head[:3] != b"ID3" or max(head[6:10]) > 0x7F:
            return
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        footer = ID3_HEADER_BYTES if head[5] & 0x10 else 0
        source.start = min(source.end, source.start + ID3_HEADER_BYTES + size + footer)
        if not source.size:
            raise UndecodableAudio("it is a tag without a recording.")
