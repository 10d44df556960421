"""A bench that is told to stop removes what it made: containers, volumes, storages. Knows nothing of benches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from talkie.cli.stop import hearing


@contextmanager
def tidied() -> Iterator[None]:
    """Within the block SIGTERM unwinds as Ctrl-C does, and so does Ctrl-C for a bench in the background, where shells
    have it ignored."""
    with hearing(_unwind):
        yield


def _unwind(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
