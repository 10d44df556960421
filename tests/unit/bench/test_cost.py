"""The planner's formula: a published example to the cent, and what must hold for every plan."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cost_plans import PRICES, plans
from talkie.bench.cost import BAKED, Way, as_published, break_even, decides, least, ways
from talkie.bench.cost_inputs import Plan, inputs, option, plan_of
from talkie.bench.cost_presets import preset, presets
from talkie.errors import InvalidValue


def months(found: tuple[Way, ...], restarts: float) -> list[tuple[float, float]]:
    """Dollars to the cent and minutes of the first month."""
    return [(round(way.first_month_usd(restarts), 2), way.first_month_minutes(restarts)) for way in found]


def paying(plan: Plan) -> float:
    baked, volume, _ = ways(plan)
    found = break_even(baked, volume)
    assert found is not None
    return found


def test_the_published_example_to_the_cent_and_minute() -> None:
    assert months(as_published(Plan()), 10) == [(1.76, 147), (5.06, 37)]
    assert len(as_published(replace(Plan(), loss=1.0))) == 2
    assert months(as_published(replace(Plan(), loss=1.0)), 10)[1][0] == 5.06


def test_what_it_leaves_out() -> None:
    _, published = as_published(Plan())
    _, corrected, _ = ways(Plan())
    assert published.terms(10)["pulls"] == 0
    assert corrected.terms(10)["pulls"] == pytest.approx(0.60)
    assert corrected.first_usd == pytest.approx(5 * 0.02 + 14 / 60 * 0.78)


@pytest.mark.parametrize(
    ("changed", "starts"),
    [
        ({"gpu_usd": 0.78, "volume_usd": 0.20}, 21),
        ({"gpu_usd": 0.78, "volume_usd": 0.10}, 10),
        ({"gpu_usd": 3.49, "volume_usd": 0.07}, 2.4),
    ],
)
def test_the_break_even_with_the_machines_minutes(changed: dict[str, Any], starts: float) -> None:
    found = paying(replace(Plan(), **changed))
    assert round(found, 1 if starts < 10 else 0) == starts


@pytest.mark.parametrize(("name", "starts"), [("published", 21), ("vast-4090", 10), ("runpod-h100", 2)])
def test_presets_lead_to_the_same_break_evens(name: str, starts: float) -> None:
    assert round(paying(plan_of(preset(name).values))) == starts


def test_presets_say_whose_prices_of_when() -> None:
    names = {one.name for one in inputs()}
    known = presets()
    assert plan_of(known["published"].values) == Plan()  # the page takes its usual values from there
    for one in known.values():
        assert one.values.keys() <= names
        assert one.title
        assert one.prices == "none" or len(one.prices) == len("2026-06")
        plan_of(one.values)


@settings(max_examples=40)
@given(plans(), st.floats(0, 500), st.floats(0, 500))
def test_more_restarts_never_favour_the_baked_image(plan: Plan, one: float, other: float) -> None:
    few, many = sorted((one, other))
    baked, volume, _ = ways(plan)
    dearer_at = [baked.month_usd(starts) - volume.month_usd(starts) for starts in (few, many)]
    assert dearer_at[1] >= dearer_at[0] - 1e-9 * (baked.month_usd(many) + volume.month_usd(many))
    assert baked.month_minutes(many) - volume.month_minutes(many) >= (
        baked.month_minutes(few) - volume.month_minutes(few) - 1e-6
    )


@settings(max_examples=40)
@given(plans())
def test_nothing_is_negative(plan: Plan) -> None:
    for way in ways(plan):
        assert all(getattr(way, one.name) >= 0 for one in fields(way) if one.name != "name")
        assert 0 <= way.month_usd(plan.restarts) <= way.first_month_usd(plan.restarts)
        assert 0 <= way.month_minutes(plan.restarts) <= way.first_month_minutes(plan.restarts)
        assert sum(way.terms(plan.restarts).values()) == pytest.approx(way.month_usd(plan.restarts))


@settings(max_examples=40)
@given(plans())
def test_the_costs_cross_at_the_break_even_and_nowhere_else(plan: Plan) -> None:
    baked, volume, _ = ways(plan)
    starts = break_even(baked, volume)
    if starts is None:
        assert baked.start_usd - volume.start_usd <= 1e-9 * (1 + volume.fixed_usd)
        return
    assert baked.month_usd(starts) == pytest.approx(volume.month_usd(starts), rel=1e-6, abs=1e-9)
    more, fewer = starts * 1.5 + 1, starts / 2
    slack = 1e-9 * (1 + baked.month_usd(more))
    assert volume.month_usd(more) <= baked.month_usd(more) + slack
    assert baked.month_usd(fewer) <= volume.month_usd(fewer) + slack


@settings(max_examples=40)
@given(plans(), st.sampled_from(PRICES), st.floats(0.01, 10))
def test_nothing_becomes_cheaper_when_a_price_rises(plan: Plan, price: str, rise: float) -> None:
    raised = replace(plan, **{price: getattr(plan, price) + rise})
    for before, after in zip(ways(plan), ways(raised), strict=True):
        assert after.month_usd(plan.restarts) >= before.month_usd(plan.restarts)
        assert after.first_month_usd(plan.restarts) >= before.first_month_usd(plan.restarts)


@settings(max_examples=40)
@given(plans())
def test_an_artifact_lies_between_a_kept_layer_and_the_baked_image(plan: Plan) -> None:
    plan = replace(plan, weights_gb=None)
    baked, volume, kept = ways(replace(plan, weights_misses=0.0))
    assert kept.ready_minutes == volume.ready_minutes
    assert kept.start_usd == pytest.approx(volume.start_usd)
    gone = ways(replace(plan, weights_misses=None))[2]
    if plan.misses == 1:
        assert gone.start_usd == pytest.approx(baked.start_usd)
    assert gone.start_usd <= baked.start_usd * (1 + 1e-9) + 1e-9


def test_a_lost_volume_costs_a_first_pull() -> None:
    plan = replace(Plan(), instances=4.0, loss=0.25)
    _, lost, _ = ways(plan)
    _, kept, _ = ways(replace(plan, loss=0.0))
    assert lost.month_usd(10) - kept.month_usd(10) == pytest.approx(5 * 0.02 + 14 / 60 * 0.78)
    assert lost.month_minutes(10) - kept.month_minutes(10) == pytest.approx(14)
    assert paying(plan) > paying(replace(plan, loss=0.0))


def test_what_decides_and_who_is_best() -> None:
    baked, volume, artifact = ways(Plan())
    assert decides(baked, volume, 10) == ("storage", -5.0)
    assert decides(baked, volume, 100) == ("gpu", pytest.approx(100 * 11 / 60 * 0.78))
    assert least((baked, volume), lambda way: way.month_usd(10)) == (BAKED,)
    assert least((baked, volume, artifact), lambda way: way.month_usd(10)) == ("baked", "artifact")  # no host keeps any
    free = plan_of(preset("own").values)
    assert decides(*ways(free)[:2], 10) is None
    assert break_even(*ways(free)[:2]) is None


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"restarts": -1.0}, "restarts"),
        ({"gpu_usd": math.nan}, "gpu_usd"),
        ({"volume_usd": math.inf}, "volume_usd"),
        ({"misses": 1.01}, "misses"),
        ({"instances": 0.0}, "instances"),
        ({"instances": 1.5}, "instances"),
        ({"weights_gb": -2.0}, "weights_gb"),
        ({"slim_gb": 9.0}, "slim_gb"),
        ({"volume_gb": 4.0}, "volume_gb"),
        ({"first_minutes": 1.0}, "first_minutes"),
        ({"loss": None}, "loss"),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint(changed: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        replace(Plan(), **changed)
    assert refused.value.param == param
    assert option(param) in refused.value.message + refused.value.hint or param == "instances"
    assert refused.value.hint
