"""`talkie cost`: what weights in the image, on a volume or in an artifact cost a month. Its options are the planner's
inputs, made from their table."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from talkie.bench.cost_inputs import inputs, option, plan_of
from talkie.cli.output import note


def _asks_for_inputs(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command an option for every input, before those that it names itself."""
    own = [
        one for one in inspect.signature(command, eval_str=True).parameters.values() if one.kind is not one.VAR_KEYWORD
    ]
    command.__signature__ = inspect.Signature([*map(_parameter, inputs()), *own])  # type: ignore[attr-defined]
    return command


def _parameter(one: Any) -> inspect.Parameter:
    """Its default is None, so that what was typed can be told from what a preset says."""
    unit = f" Unit: {one.metadata['unit']}." if one.metadata["unit"] else ""
    usual = "" if one.default is None else f" Usual: {one.default:g}."
    about = typer.Option(option(one.name), help=one.metadata["explained"] + unit + usual)
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(one.name, kind, default=None, annotation=Annotated[float | None, about])


@_asks_for_inputs
def cost(
    *,
    preset: Annotated[str, typer.Option(help="Prices of a place; what you type beside it wins.")] = "",
    presets: Annotated[bool, typer.Option("--presets", help="List the presets and leave.")] = False,
    as_published: Annotated[
        bool, typer.Option("--as-published", help="Leave out what the published example leaves out.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    chart: Annotated[Path | None, typer.Option(help="Draw the cost over the starts into this SVG file.")] = None,
    **given: float | None,
) -> None:
    """What weights in the image, on a volume or in an artifact cost a month, and from how many starts a volume pays."""
    from talkie.bench import cost as formula
    from talkie.bench import cost_presets, cost_report

    if presets:
        typer.echo("\n".join(_listed(as_json=as_json)))
        return
    chosen = cost_presets.preset(preset) if preset else None
    plan = plan_of(chosen.values if chosen else {}, given)
    found = formula.as_published(plan) if as_published else formula.ways(plan)
    outcome = cost_report.Outcome(plan, found, _source(chosen, as_published=as_published))
    typer.echo(json.dumps(cost_report.values(outcome)) if as_json else cost_report.text(outcome))
    if chart is not None:
        chart.write_text(cost_report.svg(outcome), encoding="utf-8")
        note(f"the chart is {chart}")


def _source(chosen: Any, *, as_published: bool) -> str:
    named = f"{chosen.title}, {chosen.prices}" if chosen else "the published example, GPU of 2026-06, and as given"
    return f"{named}; as published, without the machine's minutes and the slim image's pulls" if as_published else named


def _listed(*, as_json: bool) -> list[str]:
    from dataclasses import asdict

    from talkie.bench.cost_presets import presets
    from talkie.cli.output import table

    known = presets().values()
    if as_json:
        return [json.dumps([asdict(one) for one in known])]
    return list(table(("NAME", "PRICES OF", ""), [(one.name, one.prices, one.title) for one in known]))
