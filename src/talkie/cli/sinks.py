"""Where a transcript goes: to stdout as it is heard, or into a file that is there whole or not at all.

Knows nothing of formats.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from talkie.cli.inputs import Input
from talkie.errors import InvalidValue

MAX_NAMES = 10_000


class Sink(Protocol):
    """Takes text piece by piece."""

    def write(self, text: str) -> None: ...


class Stdout:
    """Standard output, flushed after each piece, always UTF-8."""

    def write(self, text: str) -> None:
        if not text:
            return
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()


class _File:
    def __init__(self, descriptor: int) -> None:
        self.file = os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="")

    def write(self, text: str) -> None:
        self.file.write(text)


@contextlib.contextmanager
def written(path: Path) -> Iterator[Sink]:
    """A file that takes its name when the block ends well, and leaves nothing when it does not."""
    with _part_of(path) as descriptor:
        sink = _File(descriptor)
        with sink.file:
            yield sink


@contextlib.contextmanager
def written_bytes(path: Path) -> Iterator[Callable[[bytes], object]]:
    """As `written`, for what is no text: gives what takes the bytes."""
    with _part_of(path) as descriptor, os.fdopen(descriptor, "wb") as file:
        yield file.write


@contextlib.contextmanager
def _part_of(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.", suffix=".part")
    part = Path(name)
    try:
        yield descriptor
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def targets(inputs: Sequence[Input], directory: Path, endings: Sequence[str]) -> list[list[Path]]:
    """For each input, a path for each ending in `directory`: `talk.srt`, or `talk.mp3.srt` where two inputs would
    share a name or a recording itself would be overwritten. No two paths are equal. Raises `InvalidValue`."""
    taken = {item.path.resolve() for item in inputs if item.path}
    stems = [item.stem for item in inputs]
    chosen: list[list[Path]] = []
    for item in inputs:
        full = item.path.name if item.path else item.stem
        names = [full, *(f"{full} ({count})" for count in range(2, MAX_NAMES))]
        if stems.count(item.stem) == 1:
            names.insert(0, item.stem)
        for name in names:
            paths = [directory / f"{name}.{ending}" for ending in endings]
            if len(set(paths)) == len(paths) and not any(path.resolve() in taken for path in paths):
                break
        else:
            raise InvalidValue("format", "Two of these formats have the same ending.", hint="Give one of them.")
        taken.update(path.resolve() for path in paths)
        chosen.append(paths)
    return chosen


def _umask() -> int:
    """What the user takes away from new files; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
