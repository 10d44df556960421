"""Headerless PCM: every encoding, equal to what libsndfile and FFmpeg make of the same bytes."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from audio_files import tone
from talkie.audio.decode import AudioLimits, RawFormat, load_audio, open_audio
from talkie.audio.formats import RAW_SAMPLE_BYTES
from talkie.errors import AudioTooLong, BadRawParameters, EmptyAudio, TalkieError

Floats = npt.NDArray[np.float32]
SUBTYPES = {
    "s16le": "PCM_16", "s24le": "PCM_24", "s32le": "PCM_32", "u8": "PCM_U8", "f32le": "FLOAT", "f64le": "DOUBLE",
    "mulaw": "ULAW", "alaw": "ALAW",
}  # fmt: skip


def encoded(samples: Floats, encoding: str, rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype=SUBTYPES[encoding], format="RAW", endian="LITTLE")
    return file.getvalue()


@pytest.mark.parametrize("encoding", RAW_SAMPLE_BYTES)
def test_every_encoding_is_read_as_libsndfile_reads_it(encoding: str) -> None:
    data = encoded(tone(), encoding)
    expected, _ = soundfile.read(
        io.BytesIO(data), dtype="float32", samplerate=16_000, channels=1, subtype=SUBTYPES[encoding], format="RAW",
        endian="LITTLE",
    )  # fmt: skip
    found = load_audio(io.BytesIO(data), raw=RawFormat(16_000, 1, encoding))
    np.testing.assert_allclose(found.samples, expected, atol=1e-6)


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_all_256_companded_codes(encoding: str) -> None:
    codes = bytes(range(256))
    expected, _ = soundfile.read(
        io.BytesIO(codes), dtype="float32", samplerate=16_000, channels=1, subtype=SUBTYPES[encoding], format="RAW"
    )
    assert np.array_equal(load_audio(io.BytesIO(codes), raw=RawFormat(16_000, 1, encoding)).samples, expected)


@pytest.mark.parametrize(("channels", "rate"), [(2, 8_000), (6, 48_000), (8, 192_000)])
def test_channels_and_rates(channels: int, rate: int) -> None:
    data = encoded(np.repeat(tone(1.0, rate)[:, None], channels, axis=1), "s16le", rate)
    found = load_audio(io.BytesIO(data), raw=RawFormat(rate, channels))
    assert found.duration_s == pytest.approx(1.0, abs=1e-4)
    assert np.abs(found.samples).max() == pytest.approx(0.3, abs=0.01)


def test_half_a_sample_at_the_end_is_a_notice() -> None:
    with open_audio(io.BytesIO(bytes(3201)), raw=RawFormat(16_000)) as stream:
        assert sum(map(len, stream.blocks())) == 1600
    assert [notice.code for notice in stream.notices] == ["truncated_audio"]


def test_bytes_that_look_like_something_else_are_still_pcm() -> None:
    for start in (b"ID3\x03\0\0\0\0\x01\0", b"#EXTM3U\n", b"RIFF\0\0\0\0WAVE"):
        data = start + bytes(3200)
        assert len(load_audio(io.BytesIO(data), raw=RawFormat(16_000)).samples) == len(data) // 2


def test_too_little_and_too_much() -> None:
    with pytest.raises(EmptyAudio):
        load_audio(io.BytesIO(b"a"), raw=RawFormat(16_000))
    with pytest.raises(AudioTooLong):
        open_audio(io.BytesIO(bytes(64_000)), raw=RawFormat(16_000), limits=AudioLimits(max_seconds=1))


@pytest.mark.parametrize(
    ("rate", "channels", "encoding"),
    [(7_999, 1, "s16le"), (192_001, 1, "s16le"), (0, 1, "s16le"), (16_000, 0, "s16le"), (16_000, 9, "s16le"),
     (16_000, 1, "mp3"), (16_000, 1, "")],
)  # fmt: skip
def test_parameters_that_cannot_be_are_refused(rate: int, channels: int, encoding: str) -> None:
    with pytest.raises(BadRawParameters) as caught:
        RawFormat(rate, channels, encoding)
    assert caught.value.hint


@given(st.binary(max_size=2000), st.integers(1, 8), st.sampled_from(sorted(RAW_SAMPLE_BYTES)))
def test_any_bytes_are_some_sound(data: bytes, channels: int, encoding: str) -> None:
    try:
        found = load_audio(io.BytesIO(data), raw=RawFormat(16_000, channels, encoding))
    except TalkieError as error:
        assert error.code == "empty_audio"
        assert len(data) < RAW_SAMPLE_BYTES[encoding] * channels
    else:
        assert len(found.samples) == len(data) // (RAW_SAMPLE_BYTES[encoding] * channels)
        assert np.abs(found.samples).max() <= 1.0
