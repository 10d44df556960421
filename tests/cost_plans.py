"""Plans for the tests of the planner: a table of cases for Python and the page, and plans at random for properties."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from hypothesis import strategies as st

from talkie.bench.cost import ways
from talkie.bench.cost_inputs import Plan, plan_of
from talkie.bench.cost_presets import presets
from talkie.bench.cost_report import Outcome, values
from talkie.errors import InvalidValue

PRICES = ("volume_usd", "pull_usd", "gpu_usd")


def cases() -> list[Plan]:
    """What the page and `talkie cost` must agree on to the last bit."""
    usual = Plan()
    return [
        usual,
        *(plan_of(one.values) for one in presets().values()),
        replace(usual, restarts=0.0),
        replace(usual, restarts=0.5, instances=7.0, loss=0.13),
        replace(usual, misses=0.3, weights_misses=0.1, weights_gb=5.7, gpu_usd=3.49),
        replace(usual, baked_push_gb=0.4, slim_push_gb=0.1, baked_build_minutes=9.5, slim_build_minutes=0.7),
        replace(usual, baked_minutes=1.0, slim_minutes=1.5, first_minutes=1.5),  # never breaks even
        replace(usual, volume_usd=0.0, pull_usd=0.07, restarts=33.0),  # at once
        replace(usual, slim_gb=8.0, weights_gb=0.0, slim_minutes=13.0),  # no difference but the storage
        replace(usual, restarts=1e6, volume_gb=1e6, gpu_usd=1e6),
    ]


def as_json(plan: Plan) -> dict[str, Any]:
    return asdict(plan)


def figures(plan: Plan) -> dict[str, Any]:
    """What the page reckons too, by the names of the JSON."""
    found = values(Outcome(plan, ways(plan), ""))
    return {name: value for name, value in found.items() if name not in ("prices", "plan")}


def amounts(most: float) -> st.SearchStrategy[float]:
    return st.floats(0, most, allow_subnormal=False).map(lambda value: round(value, 3))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Anything that somebody may rent, with a volume that makes no restart slower."""
    slim_gb, slim_minutes = draw(amounts(20)), draw(amounts(30))
    try:
        return Plan(
            restarts=draw(amounts(500)),
            instances=float(draw(st.integers(1, 50))),
            baked_gb=slim_gb + draw(amounts(50)),
            slim_gb=slim_gb,
            weights_gb=draw(st.none() | amounts(60)),
            volume_gb=60.0,
            volume_usd=draw(amounts(1)),
            pull_usd=draw(amounts(1)),
            gpu_usd=draw(amounts(10)),
            misses=draw(amounts(1)),
            weights_misses=draw(st.none() | amounts(1)),
            baked_minutes=slim_minutes + draw(amounts(30)),
            slim_minutes=slim_minutes,
            first_minutes=slim_minutes + draw(amounts(60)),
            loss=draw(amounts(1)),
        )
    except InvalidValue as error:  # these are plans: a draw that is none is a fault of this strategy
        raise AssertionError(error.message) from error
