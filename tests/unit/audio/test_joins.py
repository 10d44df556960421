"""Pieces of speech put together: no clicks, right lengths, nothing that is heard is cut off."""

from __future__ import annotations

import numpy as np
import pytest

from talkie.audio.joins import CROSS_FADE_S, Joiner, at_rate, loud
from talkie.types import Samples

RATE = 22_050


def tone(seconds: float, hz: float = 220.0, phase: float = 1.0) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(0.5 * np.sin(2 * np.pi * hz * time + phase), np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def largest_step(samples: Samples) -> float:
    return float(np.abs(np.diff(samples)).max(initial=0.0))


def test_silence_is_found_around_speech() -> None:
    start, end = loud(np.concatenate([silence(0.3), tone(0.5), silence(0.4)]), RATE)
    assert 0.27 < start / RATE <= 0.3
    assert 0.8 <= end / RATE < 0.86


def test_noise_of_an_engine_is_silence() -> None:
    noise = np.random.default_rng(1).normal(0, 0.0003, round(1.2 * RATE)).astype(np.float32)
    noise[round(0.3 * RATE) : round(0.8 * RATE)] += tone(0.5)
    start, end = loud(noise, RATE)
    assert 0.27 < start / RATE <= 0.3
    assert 0.8 <= end / RATE < 0.86


def test_a_soft_consonant_is_speech() -> None:
    hiss = np.random.default_rng(1).normal(0, 0.005, round(0.08 * RATE)).astype(np.float32)
    start, _ = loud(np.concatenate([silence(0.3), hiss, tone(0.5)]), RATE)
    assert start / RATE <= 0.3


@pytest.mark.parametrize("samples", [silence(0), silence(0.5), silence(0.5) + 1e-5])
def test_nothing_loud(samples: Samples) -> None:
    assert loud(samples.astype(np.float32), RATE) == (0, 0)


@pytest.mark.parametrize("phase", np.linspace(0, 6, 13))
def test_a_join_makes_no_click(phase: float) -> None:
    joiner = Joiner(RATE)
    pieces = [joiner.add(tone(0.3), touched=True)[1], joiner.add(tone(0.3, 300, phase), touched=True)[1]]
    joined = np.concatenate([*pieces, joiner.finish()])
    assert largest_step(joined) < 1.5 * largest_step(tone(0.3, 300))
    assert largest_step(np.concatenate([tone(0.3), tone(0.3, 300, phase)])) >= largest_step(tone(0.3))
    assert len(joined) == joiner.length == 2 * len(tone(0.3)) - round(CROSS_FADE_S * RATE)


@pytest.mark.parametrize("phase", np.linspace(0, 6, 13))
def test_a_pause_makes_no_click(phase: float) -> None:
    joiner = Joiner(RATE)
    first = joiner.add(tone(0.3, phase=phase), touched=False)[1]
    rest = joiner.pause(0.25)
    start, second = joiner.add(tone(0.3, phase=phase), touched=False)
    joined = np.concatenate([first, rest, second, joiner.finish()])
    assert largest_step(joined) < 1.3 * largest_step(tone(0.3))
    assert not rest.any()
    assert len(rest) == round(0.25 * RATE)
    assert start == len(first) + len(rest)
    assert abs(float(joined[0])) < 0.01 > abs(float(joined[-1]))


def test_loudness_stays_where_two_pieces_meet() -> None:
    joiner, noise = Joiner(RATE), np.random.default_rng(2)
    pieces = [joiner.add(noise.normal(0, 0.1, RATE).astype(np.float32), touched=True)[1] for _ in range(2)]
    joined = np.concatenate(pieces)
    meeting = joined[RATE - 2 * round(CROSS_FADE_S * RATE) : RATE]
    assert float(np.sqrt(np.mean(meeting**2))) == pytest.approx(0.1, rel=0.15)


def test_a_held_piece_is_faded_out_by_a_pause() -> None:
    joiner = Joiner(RATE)
    joined = np.concatenate([joiner.add(tone(0.3), touched=True)[1], joiner.pause(0.1), joiner.finish()])
    assert largest_step(joined) < 1.3 * largest_step(tone(0.3))
    assert len(joined) == len(tone(0.3)) + round(0.1 * RATE) == joiner.length


@pytest.mark.parametrize("length", [0, 1, 2, 5, 100])
def test_tiny_pieces(length: int) -> None:
    joiner = Joiner(RATE)
    pieces = [joiner.add(np.full(length, 0.5, np.float32), touched=touched)[1] for touched in (True, True, False, True)]
    joined = np.concatenate([*pieces, joiner.finish()])
    assert len(joined) == joiner.length <= 4 * length
    assert np.isfinite(joined).all()


def test_what_is_given_is_left_as_it_was() -> None:
    sound = tone(0.3)
    kept = sound.copy()
    Joiner(RATE).add(sound, touched=False)
    assert np.array_equal(sound, kept)


def test_another_rate() -> None:
    changed = at_rate(tone(1.0), RATE, 16_000)
    assert len(changed) == pytest.approx(16_000, abs=2)
    assert changed.dtype == np.float32
    assert np.abs(np.fft.rfft(changed)).argmax() == pytest.approx(220, abs=1)
    assert at_rate(changed, 16_000, 16_000) is changed
