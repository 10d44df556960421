"""The machine's limit: operations as published for Whisper's sizes, and a window's seconds at given rates."""

from __future__ import annotations

import pytest

from talkie.bench.limits import Rates, measure, window_s
from talkie.bench.operations import operations
from talkie.bench.shape_true import SHAPES

RATES = Rates(100.0, 200.0, 400.0, 20.0, "nobody")


@pytest.mark.parametrize(("size", "gflop"), [("tiny", 37), ("base", 87)])
def test_the_encoder_takes_what_is_known_of_it(size: str, gflop: float) -> None:
    count = operations(SHAPES[size])
    assert (count.weights + count.attention) / 1e9 == pytest.approx(gflop, rel=0.03)


def test_a_step_reads_the_weights_of_the_decoder() -> None:
    count = operations(SHAPES["tiny"], weight_bytes=1, cache_bytes=4)
    assert count.step_weights_bytes / 1e6 == pytest.approx(28, rel=0.05)
    assert count.step_cache_bytes / 1e6 == pytest.approx(18.4, rel=0.02)


def test_larger_models_and_slower_machines_take_longer() -> None:
    sizes = [window_s(SHAPES[size], RATES) for size in ("tiny", "base", "small", "medium")]
    assert sizes == sorted(sizes)
    slow = Rates(50.0, 0.0, 0.0, 10.0, "nobody")
    assert window_s(SHAPES["tiny"], slow) > window_s(SHAPES["tiny"], RATES)


def test_this_machine_has_rates() -> None:
    rates = measure(size=128, copy_bytes=1 << 20)
    assert rates.fp32_gops > 0
    assert rates.memory_gb_s > 0
    assert set(rates.as_json()) == {"fp32_gops", "bf16_gops", "int8_gops", "memory_gb_s", "measured_by"}
