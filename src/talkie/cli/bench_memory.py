"""`talkie bench memory`: what a server keeps in memory."""

from __future__ import annotations

from typing import Annotated

import typer

from talkie.cli import bench_shared as shared
from talkie.cli.output import say


def memory(
    model: shared.Model = shared.BUILT_IN,
    minutes: Annotated[float, typer.Option(min=0.1, max=600, help="Length of the file that is sent.")] = 30.0,
) -> None:
    """Resident memory of a server: idle, at most, and after a long file."""
    from talkie.bench.memory import as_table, measure

    say(f"A server hears {minutes:g} minutes of speech; the built-in engine takes a third of that or more.")
    result = measure(model, minutes)
    shared.show("resident memory", "memory", as_table(result), result.as_json())
