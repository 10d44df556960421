"""The recordings that a command line names: files, directories of files, and `-` for what is piped in.

Knows nothing of what is in them; whether a file can be heard shows when it is heard.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from talkie.errors import InvalidValue

STDIN = "-"
SOUND = frozenset(
    f".{ending}"
    for group in (
        ("3gp", "aac", "ac3", "aif", "aiff", "amr", "ape", "au", "caf", "flac", "m4a", "m4b", "mka", "mp2", "mp3"),
        ("oga", "ogg", "opus", "ra", "tta", "voc", "wav", "weba", "wma", "wv"),
        ("avi", "flv", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "ogv", "ts", "webm", "wmv"),
    )
    for ending in group
)
"""Endings that are taken from a directory. A file that is named itself may end as it likes."""


@dataclass(frozen=True, slots=True)
class Input:
    """A recording: its path, or None for standard input, and what to call it to the user."""

    path: Path | None
    name: str

    @property
    def stem(self) -> str:
        return self.path.stem if self.path else "stdin"

    def open(self) -> Path | BinaryIO:
        return self.path if self.path else sys.stdin.buffer


def find_inputs(arguments: Iterable[str]) -> list[Input]:
    """What the arguments stand for, in their order, each once. Raises `InvalidValue`."""
    found: dict[str, Input] = {}
    for argument in arguments:
        for item in _expand(argument):
            found.setdefault(str(item.path.absolute()) if item.path else STDIN, item)
    return list(found.values())


def _expand(argument: str) -> Iterator[Input]:
    if argument == STDIN:
        if sys.stdin is None or sys.stdin.isatty():
            raise InvalidValue(
                "path", "Standard input is a terminal.", hint="Pipe a recording in: talkie transcribe - < talk.wav"
            )
        yield Input(None, STDIN)
        return
    path = Path(argument)
    if not path.is_dir():
        yield Input(path, argument)
        return
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in SOUND and file.is_file())
    if not files:
        raise InvalidValue("path", f"There are no recordings in {argument}.", hint="Directories below are not read.")
    yield from (Input(file, str(file)) for file in files)
