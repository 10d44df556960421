"""Pauses inside speech: found in their middle, the same however the probabilities are split."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from talkie.audio.gate import FRAME
from talkie.audio.pauses import MIN_PAUSE_FRAMES, Pauses

EVER = 1 << 40


def fed(probabilities: list[float], sizes: list[int]) -> list[int]:
    pauses, place, found = Pauses(0.35), 0, []
    for size in sizes * len(probabilities):
        pauses.feed(np.array(probabilities[place : place + size], np.float32))
        place += size
    while (last := pauses.last_within(0, EVER)) is not None:
        found.append(last)
        pauses = _without(pauses, last)
    return found[::-1]


def _without(pauses: Pauses, last: int) -> Pauses:
    pauses._middles.remove(last)
    return pauses


def test_a_pause_is_found_in_its_middle_once_it_has_ended() -> None:
    pauses = Pauses(0.35)
    pauses.feed(np.array([0.9] * 10 + [0.1] * 8, np.float32))
    assert pauses.last_within(0, EVER) is None
    pauses.feed(np.array([0.9], np.float32))
    assert pauses.last_within(0, EVER) == 14 * FRAME
    assert pauses.last_within(0, 14 * FRAME - 1) is None
    pauses.drop_before(14 * FRAME + 1)
    assert pauses.last_within(0, EVER) is None


def test_the_closure_of_a_consonant_is_no_pause() -> None:
    assert fed([0.9] + [0.1] * (MIN_PAUSE_FRAMES - 1) + [0.9], [100]) == []


@given(
    st.lists(st.sampled_from([0.0, 0.3, 0.4, 1.0]), min_size=1, max_size=60), st.lists(st.integers(1, 9), min_size=1)
)
def test_the_same_however_they_come(probabilities: list[float], sizes: list[int]) -> None:
    expected, start = [], None
    for place, probability in enumerate(probabilities):
        if probability < 0.35:
            start = place if start is None else start
        elif start is not None:
            if place - start >= MIN_PAUSE_FRAMES:
                expected.append((start + place) * FRAME // 2)
            start = None
    assert fed(probabilities, sizes) == expected
