"""Bytes in pieces of any length give what a file of the same bytes gives."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkie.audio.decode import load_audio
from talkie.audio.formats import RAW_SAMPLE_BYTES, RawFormat
from talkie.audio.live_pcm import LivePcm
from talkie.types import Samples

FORMATS = st.builds(
    RawFormat, st.sampled_from([8_000, 16_000, 24_000, 44_100]), st.integers(1, 3), st.sampled_from([*RAW_SAMPLE_BYTES])
)


def heard(raw: RawFormat, pieces: list[bytes]) -> Samples:
    pcm = LivePcm(raw)
    return np.concatenate([*(pcm.feed(piece) for piece in pieces), pcm.finish()])


@settings(max_examples=60, deadline=None)
@given(raw=FORMATS, seed=st.integers(0, 9), cuts=st.lists(st.integers(0, 6000), max_size=9))
def test_pieces_of_any_length_give_what_a_file_gives(raw: RawFormat, seed: int, cuts: list[int]) -> None:
    data = np.random.default_rng(seed).integers(0, 256, 6000, np.uint8).tobytes()
    edges = [0, *sorted(cuts), len(data)]
    ours = heard(raw, [data[start:end] for start, end in itertools.pairwise(edges)])
    file = load_audio(io.BytesIO(data), raw=raw).samples
    assert ours.dtype == np.float32
    assert len(ours) == len(file)
    assert np.allclose(ours, file, atol=1e-4)


def test_half_a_sample_is_kept_for_the_next_piece() -> None:
    pcm = LivePcm(RawFormat(16_000))
    data = np.array([8192, -8192, 16384], "<i2").tobytes()
    assert len(pcm.feed(data[:1])) == 0
    assert pcm.left_over == 1
    assert pcm.feed(data[1:5]).tolist() == [0.25, -0.25]
    assert pcm.feed(data[5:]).tolist() == [0.5]
    assert pcm.left_over == 0
    assert len(pcm.finish()) == 0


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_what_is_no_number_is_silence_and_spoils_nothing(rate: int) -> None:
    pcm = LivePcm(RawFormat(rate, encoding="f32le"))
    tone = np.sin(np.arange(rate, dtype=np.float32) / 20) / 4
    spoilt = tone.copy()
    spoilt[100:103] = [np.nan, np.inf, -np.inf]
    heard = np.concatenate([pcm.feed(spoilt.tobytes()), pcm.feed(np.full(rate, 1e30, "<f4").tobytes()), pcm.finish()])
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= 1.0
    clean = LivePcm(RawFormat(rate, encoding="f32le")).feed(tone.tobytes())
    assert np.allclose(heard[4000:14_000], clean[4000:14_000], atol=1e-3)


def test_an_end_is_a_new_beginning() -> None:
    pcm = LivePcm(RawFormat(48_000))
    tone = (np.sin(np.arange(48_000) / 20) * 9_000).astype("<i2").tobytes()
    first = np.concatenate([pcm.feed(tone + b"x"), pcm.finish()])
    second = np.concatenate([pcm.feed(tone), pcm.finish()])
    assert len(first) == len(second) == 16_000
    assert np.array_equal(first, second)
