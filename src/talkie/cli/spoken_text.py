"""Texts to be spoken, from a file or as they come down a pipe. UTF-8; what is not becomes a replacement character."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from talkie.errors import TextTooLong, UnreadableFile

MAX_FILE_BYTES = 64 * 1024 * 1024
"""More than any text that is let through; what may be spoken is a setting."""
READ_BYTES = 4096


def text_of(path: Path) -> str:
    """A whole file. Raises `UnreadableFile`, `TextTooLong`."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise TextTooLong(size, MAX_FILE_BYTES)
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise UnreadableFile(error.strerror or type(error).__name__) from None


def pieces_of(pipe: BinaryIO) -> Iterator[str]:
    """What is written, as soon as it is there."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    read = getattr(pipe, "read1", pipe.read)
    while data := read(READ_BYTES):
        if text := decoder.decode(data):
            yield text
    if rest := decoder.decode(b"", True):
        yield rest
