"""What the planner of costs must be told, in one table: the fields of `Plan` with units, bounds and explanations.

`talkie cost` makes its options from it, and the page `/cost` has the same names. Knows nothing of the formula.
The usual values are those of a published example, with a graphics card at its price of June 2026.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from talkie.errors import InvalidValue

MOST = 1e6
"""Of anything: far above what anybody rents, and small enough that no sum runs over."""


def _input(usual: float | None, unit: str, explained: str, *, least: float = 0.0, most: float = MOST) -> Any:
    """A field whose metadata hold its unit, words and bounds. None stands for what `explained` says."""
    return field(default=usual, metadata={"unit": unit, "explained": explained, "least": least, "most": most})


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes in GB, prices in dollars (or any one currency), times in minutes, shares from 0 to 1."""

    restarts: float = _input(10.0, "a month", "Starts, of all instances together; the first ones count.")
    instances: float = _input(1.0, "", "Machines with a volume of their own; those that share one are one.", least=1.0)
    baked_gb: float = _input(8.0, "GB", "The image with the weights inside, as it is pulled.")
    slim_gb: float = _input(3.0, "GB", "The image without weights, as it is pulled.")
    weights_gb: float | None = _input(None, "GB", "The weights. Usual: what the baked image has more.")
    volume_gb: float = _input(25.0, "GB", "The size of a volume, as it is paid for.")
    volume_usd: float = _input(0.2, "$ a GB and month", "The price of a volume.")
    pull_usd: float = _input(0.02, "$ a GB", "The price of what is pulled or pushed.")
    gpu_usd: float = _input(0.78, "$ an hour", "The price of the machine, which waits for its start too.")
    misses: float = _input(1.0, "share", "Starts on a host that has not kept the image.", most=1.0)
    weights_misses: float | None = _input(
        None, "share", "Starts on a host that has not kept the artifact's layer. Usual: as of the image.", most=1.0
    )
    baked_minutes: float = _input(13.0, "min", "From start to ready with the baked image.")
    slim_minutes: float = _input(2.0, "min", "From start to ready with the weights on the volume.")
    first_minutes: float = _input(16.0, "min", "From start to ready with an empty volume.")
    baked_push_gb: float | None = _input(None, "GB", "What a push of the baked image sends. Usual: all of it.")
    slim_push_gb: float | None = _input(None, "GB", "What a push of the slim image sends. Usual: all of it.")
    baked_build_minutes: float = _input(17.0, "min", "To build the baked image.")
    slim_build_minutes: float = _input(3.0, "min", "To build the slim image.")
    loss: float = _input(0.0, "share a month", "The chance that a volume is lost with its machine.", most=1.0)

    def __post_init__(self) -> None:
        """Raises `InvalidValue`."""
        for one in inputs():
            _check(one, getattr(self, one.name))
        _check_together(self)

    @property
    def pulled_weights_gb(self) -> float:
        return self.baked_gb - self.slim_gb if self.weights_gb is None else self.weights_gb

    @property
    def artifact_misses(self) -> float:
        return self.misses if self.weights_misses is None else self.weights_misses

    @property
    def pushed_baked_gb(self) -> float:
        return self.baked_gb if self.baked_push_gb is None else self.baked_push_gb

    @property
    def pushed_slim_gb(self) -> float:
        return self.slim_gb if self.slim_push_gb is None else self.slim_push_gb


def inputs() -> tuple[Field[Any], ...]:
    return fields(Plan)


def option(name: str) -> str:
    """What the command line calls it."""
    return "--" + name.replace("_", "-")


def plan_of(*layers: Mapping[str, float | None]) -> Plan:
    """A plan from values by name; later layers win, and None is no value. Raises `InvalidValue`."""
    given = {name: value for layer in layers for name, value in layer.items() if value is not None}
    return Plan(**given)


def _check(one: Field[Any], value: float | None) -> None:
    least, most = one.metadata["least"], one.metadata["most"]
    if value is None and one.default is None:
        return
    if value is None or math.isnan(value) or not least <= value <= most:
        said = f"{option(one.name)} must be a number from {least:g} to {most:,.0f}, and {value!r} is not."
        hint = f"{one.metadata['explained']} Unit: {one.metadata['unit'] or 'a count'}."
        raise InvalidValue(one.name, said, hint=hint)


def _check_together(plan: Plan) -> None:
    """What single values cannot be wrong in."""
    if plan.instances != int(plan.instances):
        raise InvalidValue("instances", f"{plan.instances:g} instances cannot be.", hint="Give a whole number.")
    if plan.slim_gb > plan.baked_gb:
        said = f"The slim image ({plan.slim_gb:g} GB) is larger than the baked one ({plan.baked_gb:g} GB)."
        raise InvalidValue("slim_gb", said, hint="The baked image holds all of the slim one: --baked-gb, --slim-gb.")
    if plan.pulled_weights_gb > plan.volume_gb:
        said = f"A volume of {plan.volume_gb:g} GB does not hold {plan.pulled_weights_gb:g} GB of weights."
        raise InvalidValue("volume_gb", said, hint="Give a larger --volume-gb, or --weights-gb if they are smaller.")
    if plan.first_minutes < plan.slim_minutes:
        said = f"A first start of {plan.first_minutes:g} min is quicker than a later one ({plan.slim_minutes:g} min)."
        raise InvalidValue("first_minutes", said, hint="The first start pulls the weights too: raise --first-minutes.")
