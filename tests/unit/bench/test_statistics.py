"""What few rounds say: medians and quarter marks, ratios in pairs, intervals, and the odds of chance."""

from __future__ import annotations

import itertools
import math
import random
import statistics as plain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.bench import statistics as bench

NUMBERS = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=40)


@given(NUMBERS, st.floats(0, 100))
def test_percentiles_are_those_of_numpy(values: list[float], percent: float) -> None:
    assert bench.percentile(values, percent) == pytest.approx(float(np.percentile(values, percent)))


@given(NUMBERS)
def test_a_summary_is_in_order(values: list[float]) -> None:
    found = bench.summary(values)
    assert found.least <= found.low <= found.median <= found.high <= found.most
    assert (found.median, found.count) == (plain.median(values), len(values))


def test_nothing_has_no_summary() -> None:
    with pytest.raises(ValueError, match="no values"):
        bench.summary([])


def test_pairs_are_of_rounds_that_both_took_part_in() -> None:
    assert bench.pairs({0: 4.0, 1: 6.0, 3: 1.0}, {1: 3.0, 0: 2.0, 2: 9.0}) == [2.0, 2.0]
    assert bench.pairs({0: 4.0}, {0: 0.0}) == []
    assert bench.ratio([]) is None


def test_pairs_take_out_what_both_suffered() -> None:
    load = {0: 1.0, 1: 3.0, 2: 1.2, 3: 2.1, 4: 5.0}
    ratio = bench.ratio(bench.pairs({n: 2 * slow for n, slow in load.items()}, load))
    assert ratio is not None
    assert (ratio.low, ratio.median, ratio.high) == pytest.approx((2.0, 2.0, 2.0))


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=12))
def test_an_interval_is_about_the_median_and_within_the_range(quotients: list[float]) -> None:
    ratio = bench.ratio(quotients)
    assert ratio is not None
    slack = 1e-9
    assert min(quotients) - slack <= ratio.low <= ratio.median + slack
    assert ratio.median - slack <= ratio.high <= max(quotients) + slack
    assert bench.ratio(quotients) == ratio


def test_more_rounds_make_the_interval_narrower() -> None:
    rng = random.Random(1)
    values = [rng.gauss(1, 0.1) for _ in range(60)]
    few, many = bench.bootstrap(values[:6]), bench.bootstrap(values)
    assert many[1] - many[0] < few[1] - few[0]


def test_the_odds_are_counted_over_all_splits() -> None:
    before, after = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
    splits = [sum(split) for split in itertools.combinations(before + after, 3)]
    expected = sum(total >= 15 for total in splits) / len(splits)
    assert bench.permutation_p(before, after) == pytest.approx(expected) == pytest.approx(bench.least_p(3, 3))
    assert bench.permutation_p(after, before) == 1.0


def test_equal_rounds_are_no_difference() -> None:
    assert bench.permutation_p([2.0] * 5, [2.0] * 5) == 1.0


def test_many_rounds_are_drawn_and_agree_with_the_count() -> None:
    rng = random.Random(3)
    before = [rng.gauss(0.0, 1) for _ in range(30)]
    shifted = [rng.gauss(1.5, 1) for _ in range(30)]
    assert math.comb(60, 30) > bench.MAX_ARRANGEMENTS
    assert bench.permutation_p(before, shifted) < 0.001
    assert bench.permutation_p(before, [value - 3 for value in shifted]) > 0.9


def test_false_alarms_are_as_rare_as_promised() -> None:
    rng = random.Random(5)
    alarms = sum(
        bench.permutation_p([rng.gauss(0, 1) for _ in range(5)], [rng.gauss(0, 1) for _ in range(5)]) < 0.05
        for _ in range(400)
    )
    assert alarms <= 36
