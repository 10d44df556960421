"""What is done once for a model on this machine, with a bar on a terminal and a line now and then anywhere else.

Knows nothing of what is done. Where it was done before, nothing is shown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from talkie.cli.output import say

if TYPE_CHECKING:
    from talkie.runtime.requests import TranscribeRequest
    from talkie.runtime.service import Service

STEP_PERCENT = 25


def prepare(service: Service, request: TranscribeRequest) -> None:
    """Open the model for a request when it never was here before, so that whoever waits can see why.

    Raises the errors of `talkie.errors`; the service is closed then.
    """
    try:
        if not service.is_new(request):
            return
        with shown("preparing {} for this machine, once") as progress:
            service.preparations.listen = progress
            service.prepare(request)
    except BaseException:
        service.close(0.0)
        raise
    finally:
        service.preparations.listen = _quiet


@contextmanager
def shown(title: str) -> Iterator[Callable[[str, float], None]]:
    """A callback for a name, which goes into the title, and the share that is done, 0 to 1."""
    if sys.stderr.isatty():
        with _bar(title) as update:
            yield update
    else:
        yield _lines(title)


def _quiet(name: str, share: float) -> None:
    pass


@contextmanager
def _bar(title: str) -> Iterator[Callable[[str, float], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = None

        def update(name: str, share: float) -> None:
            nonlocal task
            if task is None:  # made with the first figure: where there is nothing to do, nothing is shown
                task = progress.add_task(title.format(name), total=1.0)
            progress.update(task, completed=share, description=title.format(name))

        yield update


def _lines(title: str) -> Callable[[str, float], None]:
    last_percent = -STEP_PERCENT

    def update(name: str, share: float) -> None:
        nonlocal last_percent
        percent = round(100 * share)
        if percent >= last_percent + STEP_PERCENT:
            last_percent = percent
            say(f"{title.format(name)}: {percent} %")

    return update
