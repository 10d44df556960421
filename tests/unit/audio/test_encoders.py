"""Speech encoded while it is made: what comes out is decoded again by FFmpeg, and by Python where it can."""

from __future__ import annotations

import io
import wave

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkie.audio.encoder_mp3 import info_frame, nearest_rate
from talkie.audio.encoder_plain import wav_header
from talkie.audio.encoders import FORMATS, MAX_HZ, MEDIA_TYPES, MIN_HZ, SpeechFormat, open_encoder
from talkie.types import Samples

PADDED_S = 0.045
"""What formats of fixed frames may add at the end, or AAC at both ends."""
RATES_HZ = (8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


def tone(seconds: float, rate: int, hz: float = 440.0) -> Samples:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encoded(samples: Samples, rate: int, name: SpeechFormat, step: int = 1111) -> bytes:
    encoder = open_encoder(name, rate)
    pieces = [encoder.feed(samples[at : at + step]) for at in range(0, len(samples), step)]
    return b"".join([*pieces, encoder.finish()])


def decoded(data: bytes, name: SpeechFormat) -> tuple[Samples, int]:
    """Mono samples and their rate."""
    if name == "pcm":
        return np.frombuffer(data, "<i2").astype(np.float32) / 32768, 24_000
    with av.open(io.BytesIO(data)) as file:
        frames = [frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)]
        rate = file.streams.audio[0].rate
    samples = np.concatenate(frames)
    return (samples.astype(np.float32) / 32768 if samples.dtype == np.int16 else samples), rate


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rate", RATES_HZ)
def test_every_format_at_every_rate_is_as_long_as_the_speech(name: SpeechFormat, rate: int) -> None:
    for seconds in (0.05, 1.237):
        samples, found_rate = decoded(encoded(tone(seconds, rate), rate, name), name)
        assert found_rate == open_encoder(name, rate).sample_rate
        assert abs(len(samples) / found_rate - seconds) < PADDED_S
        assert np.flatnonzero(np.abs(samples) > 0.1)[0] / found_rate < 0.03  # nothing is put before it either


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_decoded_is_what_was_said(name: SpeechFormat) -> None:
    samples, rate = decoded(encoded(tone(1.0, 22_050, 600.0), 22_050, name), name)
    middle = samples[round(0.3 * rate) : round(0.8 * rate)]
    loudest = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(len(middle))))) * rate / len(middle)
    assert abs(loudest - 600) < 5
    assert 0.3 < np.sqrt(np.mean(middle**2)) * np.sqrt(2) < 0.6


@pytest.mark.parametrize("name", ["wav", "flac"])
def test_formats_that_lose_nothing_lose_nothing(name: SpeechFormat) -> None:
    speech = tone(0.5, 24_000)
    samples, _ = decoded(encoded(speech, 24_000, name), name)
    assert np.max(np.abs(samples - speech)) < 1.1 / 32768


@pytest.mark.parametrize("name", FORMATS)
def test_bytes_leave_before_the_speech_ends(name: SpeechFormat) -> None:
    encoder, speech = open_encoder(name, 22_050), tone(3.0, 22_050)
    early = encoder.feed(speech[:11_025])
    assert len(early) > 0.2 * len(early + encoder.feed(speech[11_025:22_050])) > 0


@pytest.mark.parametrize("name", FORMATS)
def test_no_speech_at_all_is_a_valid_end(name: SpeechFormat) -> None:
    encoder = open_encoder(name, 22_050)
    assert len(encoder.feed(np.zeros(0, np.float32)) + encoder.finish()) < 2000


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_no_number_or_too_loud_becomes_no_noise(name: SpeechFormat) -> None:
    speech = tone(0.5, 24_000)
    speech[1000], speech[2000], speech[3000], speech[4000] = np.nan, np.inf, -np.inf, 7.0
    samples, _ = decoded(encoded(speech, 24_000, name), name)
    assert np.all(np.isfinite(samples)) and np.max(np.abs(samples)) < 1.5


def test_pcm_is_24_khz_whatever_the_voice_is() -> None:
    assert abs(len(encoded(tone(2.0, 16_000), 16_000, "pcm")) - 2 * 24_000 * 2) <= 2


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=12), st.sampled_from(["pcm", "wav", "flac"]))
def test_how_it_is_cut_makes_no_difference(cuts: list[int], name: SpeechFormat) -> None:
    speech = tone(sum(cuts) / 22_050, 22_050)[: sum(cuts)]
    encoder, at, pieces = open_encoder(name, 22_050), 0, []
    for cut in cuts:
        pieces.append(encoder.feed(speech[at : at + cut]))
        at += cut
    whole = open_encoder(name, 22_050)
    expected = whole.feed(speech) + whole.finish()
    data = b"".join([*pieces, encoder.finish()])
    if name == "pcm":  # a resampler rounds by how it is fed
        found, wanted = np.frombuffer(data, "<i2").astype(int), np.frombuffer(expected, "<i2").astype(int)
        assert len(found) == len(wanted) and np.max(np.abs(found - wanted), initial=0) <= 2
    else:
        assert data == expected


def test_a_streamed_wav_says_that_its_length_is_not_known() -> None:
    data = encoded(tone(0.1, 16_000), 16_000, "wav")
    assert data[:4] == b"RIFF" and data[4:8] == data[40:44] == b"\xff\xff\xff\xff"
    assert len(data) == 44 + 3200


def test_a_header_for_a_file_whose_length_is_known() -> None:
    body = encoded(tone(0.1, 16_000), 16_000, "wav")[44:]
    with wave.open(io.BytesIO(wav_header(16_000, len(body)) + body)) as file:
        assert (file.getnframes(), file.getframerate(), file.getnchannels()) == (1600, 16_000, 1)
    assert wav_header(16_000, 2**32)[4:8] == b"\xff\xff\xff\xff"


def test_the_info_frame_of_an_mp3_is_a_frame() -> None:
    for rate in (16_000, 22_050, 24_000, 32_000, 44_100, 48_000):
        frame = info_frame(rate, 128)
        with av.open(io.BytesIO(frame * 4 + bytes(16)), format="mp3") as file:
            assert file.streams.audio[0].rate == rate
    with pytest.raises(ValueError, match="8000"):
        info_frame(8000, 64)
    with pytest.raises(ValueError, match="no room"):
        info_frame(24_000, 8)


def test_rates_that_mp3_does_not_know_go_up() -> None:
    assert [nearest_rate(rate) for rate in (8000, 16_000, 22_000, 48_000, 96_000)] == [
        16_000, 16_000, 22_050, 48_000, 48_000]  # fmt: skip


@pytest.mark.parametrize("rate", [0, MIN_HZ - 1, MAX_HZ + 1])
def test_rates_that_no_speech_has_are_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="no speech"):
        open_encoder("mp3", rate)


def test_every_format_has_a_media_type() -> None:
    assert set(MEDIA_TYPES) == set(FORMATS)
