"""A bar on stderr while the environment of a peer is made. Only where somebody looks: on a terminal.

Knows nothing of what the steps do.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from talkie.bench.peers.environment import Report


@contextlib.contextmanager
def shown() -> Iterator[Report]:
    """A `Report` that draws; one that does nothing where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda _what, _step, _of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, step, of: progress.update(task, description=what, completed=step, total=of)
