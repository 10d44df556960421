"""A bar on stderr: seconds heard, seconds of audio a second, time left. Only where somebody looks: on a terminal.

Knows nothing of what is heard. While text goes to the same terminal the bar steps aside.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from talkie.types import Progress

if TYPE_CHECKING:
    import rich.progress


class Display(Protocol):
    """Shows how far one recording has come."""

    def update(self, progress: Progress) -> None: ...

    def aside(self) -> contextlib.AbstractContextManager[None]: ...


class Nothing:
    """Nobody looks."""

    def update(self, progress: Progress) -> None:
        pass

    def aside(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


class Bar:
    """A line that is gone when the work is done."""

    def __init__(self, progress: rich.progress.Progress, name: str, moves: bool) -> None:
        self._progress = progress
        self._moves = moves
        self._began = time.monotonic()
        self._task = progress.add_task(name, total=None, speed="")

    def update(self, progress: Progress) -> None:
        elapsed_s = max(time.monotonic() - self._began, 0.001)
        speed = f"{progress.done_s / elapsed_s:.1f}x" if progress.done_s else ""
        self._progress.update(self._task, completed=progress.done_s, total=progress.total_s, speed=speed)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """The line is taken away for as long as something is written to the same terminal."""
        if not self._moves:
            yield
            return
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


@contextlib.contextmanager
def shown(name: str) -> Iterator[Display]:
    """A display for one recording."""
    if not sys.stderr.isatty():
        yield Nothing()
        return
    with seconds_bar() as progress:
        yield Bar(progress, name, moves=sys.stdout.isatty())


@contextlib.contextmanager
def seconds_bar() -> Iterator[rich.progress.Progress]:
    """A bar of seconds with their speed (the field `speed`) and the time left, on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.completed:.0f} s"),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(compact=True),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as progress:
        yield progress
