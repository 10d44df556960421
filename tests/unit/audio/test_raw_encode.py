"""Headerless PCM of every kind: what is written is what our own decoder reads, and full scale stays in bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from talkie.audio.formats import RAW_SAMPLE_BYTES, RawFormat
from talkie.audio.raw import decode_samples
from talkie.audio.raw_encode import encode_raw
from talkie.audio.raw_speech import RawSpeech, cut

WORST = {"u8": 1.5 / 128, "s16le": 1e-4, "mulaw": 0.03, "alaw": 0.03}
FLOATS = arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32, allow_nan=True, allow_infinity=True))


@pytest.mark.parametrize("encoding", RAW_SAMPLE_BYTES)
@given(samples=FLOATS)
def test_what_is_written_is_read(encoding: str, samples: np.ndarray) -> None:
    data = encode_raw(samples, RawFormat(8000, 1, encoding))
    assert len(data) == len(samples) * RAW_SAMPLE_BYTES[encoding]
    expected = np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -1, 1)
    assert np.abs(decode_samples(encoding, data) - expected).max(initial=0) <= WORST.get(encoding, 1e-6)


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_every_code_of_g711_comes_back(encoding: str) -> None:
    codes = bytes(range(256))
    values = decode_samples(encoding, codes)
    assert (decode_samples(encoding, encode_raw(values, RawFormat(8000, 1, encoding))) == values).all()


def test_channels_say_the_same() -> None:
    samples = np.array([0.0, 0.5, -0.5], np.float32)
    data = np.frombuffer(encode_raw(samples, RawFormat(8000, 3, "s16le")), "<i2").reshape(-1, 3)
    assert (data == data[:, :1]).all() and len(data) == 3


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000, 192_000])
def test_another_rate_is_as_long_and_has_no_seams(rate: int) -> None:
    tone = (0.5 * np.sin(np.arange(22_050) * (2 * np.pi * 440 / 22_050))).astype(np.float32)
    sound = RawSpeech(RawFormat(rate, 1, "f32le"))
    data = b"".join(sound.feed(piece, 22_050) for piece in np.array_split(tone, 7)) + sound.finish()
    samples = np.frombuffer(data, "<f4")
    assert abs(len(samples) - rate) <= 1
    step = 0.5 * 2 * np.pi * 440 / rate
    assert np.abs(np.diff(samples[rate // 20 : -rate // 20])).max() <= step * 1.05


def test_pieces_are_whole_frames() -> None:
    pieces = cut(bytes(range(250)), 6, 100)
    assert b"".join(pieces) == bytes(range(250)) and [len(piece) for piece in pieces] == [96, 96, 58]
    assert cut(b"", 2, 100) == [] and [len(piece) for piece in cut(bytes(8), 4, 1)] == [4, 4]
