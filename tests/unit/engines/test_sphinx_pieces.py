"""Cutting a recording before it is decoded: everything is covered once, and pauses are found."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.engines.asr.sphinx_pieces import FRAME_SAMPLES, PieceOptions, pieces, quietest_sample
from talkie.types import SAMPLE_RATE_HZ, Samples

OPTIONS = PieceOptions(pause_s=0.3, shortest_s=2.0, longest_s=5.0)


def sound(*parts: tuple[float, float]) -> Samples:
    """Noise of so many seconds and so loud, one part after the other."""
    random = np.random.default_rng(7)
    return np.concatenate(
        [random.normal(0, loud, int(seconds * SAMPLE_RATE_HZ)).astype(np.float32) for seconds, loud in parts]
    )


def test_cuts_fall_into_pauses() -> None:
    [first, second] = pieces(sound((3, 0.1), (0.5, 0.0001), (3, 0.1)), OPTIONS)
    assert first[1] == second[0] == pytest.approx(3.25 * SAMPLE_RATE_HZ, abs=FRAME_SAMPLES)


def test_a_short_pause_is_no_pause() -> None:
    assert len(pieces(sound((2.2, 0.1), (0.1, 0.0001), (2.2, 0.1)), OPTIONS)) == 1


def test_a_short_rest_joins_the_piece_before_it() -> None:
    samples = sound((3, 0.1), (0.4, 0.0001), (1, 0.1))
    assert pieces(samples, OPTIONS) == [(0, len(samples))]


def test_who_never_pauses_is_cut_at_the_quietest_moment() -> None:
    cut = pieces(sound((4, 0.1), (0.05, 0.02), (4, 0.1)), OPTIONS)[0][1]
    assert cut == pytest.approx(4.02 * SAMPLE_RATE_HZ, abs=2 * FRAME_SAMPLES)


@given(st.lists(st.tuples(st.floats(0, 6), st.sampled_from([0.0, 0.001, 0.1])), max_size=6))
def test_all_is_covered_once_and_no_piece_is_too_long(parts: list[tuple[float, float]]) -> None:
    samples = sound((0.0, 0.0), *parts)
    ranges = pieces(samples, OPTIONS)
    assert [edge for pair in ranges for edge in pair][::2] == [0, *[last for _, last in ranges]][: len(ranges)]
    assert (ranges[-1][1] if ranges else 0) == len(samples)
    assert all(0 < last - first <= 5 * SAMPLE_RATE_HZ for first, last in ranges)
    assert all(one[1] == following[0] for one, following in pairwise(ranges))


def test_nan_is_cut_like_silence() -> None:
    assert pieces(np.full(SAMPLE_RATE_HZ * 12, np.nan, np.float32), OPTIONS)[-1][1] == SAMPLE_RATE_HZ * 12


def test_quietest_sample() -> None:
    samples = sound((1, 0.1), (0.1, 0.001), (1, 0.1))
    assert SAMPLE_RATE_HZ <= quietest_sample(samples, 0, len(samples)) <= 1.1 * SAMPLE_RATE_HZ
