"""`talkie bench compare`: has Talkie become slower, larger or later? Exits with 1 when it has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from talkie.cli.output import FAILED, note


def compare(
    old: Annotated[Path, typer.Argument(help="A result, or a baseline.")],
    new: Annotated[Path, typer.Argument(help="A newer result.")],
    reference: Annotated[str, typer.Option(help="Whose figures both are divided by.")] = "faster-whisper:one-by-one",
    alpha: Annotated[float, typer.Option(min=0.0001, max=0.5, help="How often chance may raise a false alarm.")] = 0.01,
    tolerance: Annotated[float, typer.Option(min=0, max=1, help="Changes below this share do not count.")] = 0.03,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Write the ratios of NEW over OLD, as a baseline.")
    ] = False,
) -> None:
    """Find regressions between two runs, as ratios to a peer that was measured in the same rounds."""
    from talkie.bench import compare as bench
    from talkie.bench.report import json_line, table

    after = bench.read_ratios(new, reference)
    if update_baseline:
        bench.write_baseline(old, after)
        note(f"{old} now holds the ratios of {new}.")
        return
    found = bench.compare(bench.read_ratios(old, reference), after, bench.Strictness(alpha, tolerance))
    if not found.same_processor:
        note("the two runs are of different processors: ratios carry over in part only.")
    head = ("figure", "contender", "model", "file", "old", "new", "change", "p", "")
    typer.echo(f"\nTalkie divided by {reference}\n\n{table(head, [_row(one) for one in found.changes])}\n")
    typer.echo(json_line("compare", found.as_json()))
    if found.failed:
        raise typer.Exit(FAILED)


def _row(one: Any) -> tuple[str, ...]:
    change = f"{100 * (one.change - 1):+.1f} %" if one.change else "-"
    numbers = [f"{value:.3f}" if value is not None else "-" for value in (one.old, one.new)]
    p = f"{one.p:.3f}" if one.p is not None else "-"
    return (*one.figure, *numbers, change, p, one.finding)
