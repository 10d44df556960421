"""A bar on stderr while a face is made: pictures a second, time left. Only where somebody looks: on a terminal.

Knows nothing of faces.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from talkie.cli.progress import seconds_bar

if TYPE_CHECKING:
    import rich.progress


class Display(Protocol):
    """Shows how far one film has come."""

    def shown(self, frames: int, done_s: float) -> None:
        """So many frames more; the film is `done_s` long by now."""
        ...

    def received(self, size_bytes: int) -> None:
        """So many bytes more of a film that a server makes."""
        ...


class Nothing:
    """Nobody looks."""

    def shown(self, frames: int, done_s: float) -> None:
        pass

    def received(self, size_bytes: int) -> None:
        pass


class Bar:
    """A line that is gone when the work is done."""

    def __init__(self, progress: rich.progress.Progress, name: str, total_s: float | None) -> None:
        self._progress = progress
        self._began_s = 0.0
        self._frames = self._bytes = 0
        self._task = progress.add_task(name, total=total_s, speed="")

    def shown(self, frames: int, done_s: float) -> None:
        """The first piece starts the clock: before it models were opened."""
        now_s = time.monotonic()
        if not self._began_s:
            self._began_s = now_s
        else:
            self._frames += frames
        elapsed_s = now_s - self._began_s
        speed = f"{self._frames / elapsed_s:.0f} fps" if self._frames and elapsed_s else ""
        self._progress.update(self._task, completed=done_s, speed=speed)

    def received(self, size_bytes: int) -> None:
        self._bytes += size_bytes
        self._progress.update(self._task, speed=f"{self._bytes / 1e6:.1f} MB")


@contextlib.contextmanager
def showing(name: str, total_s: float | None = None) -> Iterator[Display]:
    """A display for one film of so many seconds, where that is known."""
    if not sys.stderr.isatty():
        yield Nothing()
        return
    with seconds_bar() as progress:
        yield Bar(progress, name, total_s)
