"""A bench that is told to stop removes what it made: containers, volumes, storages. Knows nothing of benches."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def tidied() -> Iterator[None]:
    """Within the block SIGTERM unwinds as Ctrl-C does, and so does Ctrl-C for a bench in the background, where shells
    have it ignored."""
    before = {number: signal.signal(number, _unwind) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _unwind(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
