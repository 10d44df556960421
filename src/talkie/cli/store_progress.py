"""How far a pull, import, export or check has come: a bar on a terminal, a line now and then anywhere else.

All of it goes to stderr. Knows nothing of the store.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STEP_PERCENT = 10


@contextmanager
def shown(title: str) -> Iterator[Callable[[int, int, str], None]]:
    """A callback for bytes done, bytes in all (0: not known) and the file at work."""
    if sys.stderr.isatty():
        with _bar(title) as update:
            yield update
    else:
        yield _lines(title)


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int, str], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = None

        def update(done_bytes: int, total_bytes: int, file: str) -> None:
            nonlocal task
            if task is None:  # made with the first figures, so that what was here already is not taken for speed
                task = progress.add_task(title, total=total_bytes or None, completed=done_bytes)
            progress.update(task, completed=done_bytes, total=total_bytes or None, description=f"{title} {file}")

        yield update


def _lines(title: str) -> Callable[[int, int, str], None]:
    last_percent = -1

    def update(done_bytes: int, total_bytes: int, file: str) -> None:
        nonlocal last_percent
        if not total_bytes:
            return
        percent = 100 * done_bytes // total_bytes
        if percent // STEP_PERCENT > last_percent // STEP_PERCENT:
            last_percent = percent
            sys.stderr.write(f"{title}: {percent} % of {total_bytes / 1e6:,.1f} MB\n")

    return update
