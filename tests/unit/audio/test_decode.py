"""Any recording to mono 16 kHz: every format gives the same sound, exactly as long as it was."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from audio_files import GOOD, Pipe, claiming, encode, id3, lying_webm, tone, wav
from talkie.audio.decode import AudioLimits, AudioStream, load_audio, open_audio
from talkie.errors import AudioTooLarge, AudioTooLong, EmptyAudio, UndecodableAudio, UnreadableFile

Floats = npt.NDArray[np.float32]
RATE = 48_000
PADDED = ("mp3", "mp2", "aac", "ac3", "adpcm", "flv", "avi", "vorbis", "mp4-opus")
"""Codecs that add up to a tenth of a second of their own where the container does not say how much."""


def heard(data: bytes, **options: Any) -> tuple[Floats, AudioStream]:
    with open_audio(io.BytesIO(data), **options) as stream:
        blocks = list(stream.blocks())
    assert all(block.dtype == np.float32 and block.ndim == 1 and 0 < len(block) <= 160_000 for block in blocks)
    return np.concatenate(blocks), stream


def frequency(samples: Floats) -> float:
    """Of the strongest tone, in hertz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * 16_000 / len(samples))


@pytest.fixture(scope="module")
def two_seconds() -> Floats:
    return tone(2.0, RATE)


@pytest.mark.parametrize("name", GOOD)
def test_every_format_gives_the_same_sound(name: str, two_seconds: Floats) -> None:
    samples, stream = heard(GOOD[name](two_seconds, RATE))
    assert len(samples) / 16_000 == pytest.approx(2.0, abs=0.1 if any(codec in name for codec in PADDED) else 1e-3)
    middle = samples[8_000:24_000]
    assert frequency(middle) == pytest.approx(440, abs=2)
    assert np.abs(middle).max() == pytest.approx(0.3, abs=0.15 if "aac" in name or "flv" in name else 0.03)
    assert stream.info.sample_rate == RATE
    assert stream.info.channels == 1
    assert stream.notices == []


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000])
def test_every_rate_is_brought_to_16_khz(rate: int) -> None:
    samples, _ = heard(wav(tone(1.5, rate), rate))
    assert abs(len(samples) - 24_000) <= 1
    assert frequency(samples) == pytest.approx(440, abs=1)


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "FLAC"])
@pytest.mark.parametrize("channels", range(1, 9))
def test_up_to_eight_channels_become_one(channels: int, container: str) -> None:
    samples, stream = heard(wav(np.repeat(tone()[:, None], channels, axis=1), container=container))
    assert stream.info.channels == channels
    assert np.abs(samples).max() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("layout", ["stereo", "5.1", "7.1"])
def test_channels_of_compressed_audio_become_one(layout: str, two_seconds: Floats) -> None:
    samples, stream = heard(encode(two_seconds, RATE, "matroska", "flac", layout=layout))
    assert stream.info.channels == {"stereo": 2, "5.1": 6, "7.1": 8}[layout]
    assert np.abs(samples).max() == pytest.approx(0.3, abs=0.01)


def test_integers_are_exact() -> None:
    samples = (np.arange(-16_000, 16_000) / 32_768).astype(np.float32)
    found, _ = heard(wav(samples))
    assert np.array_equal(found, samples)


def test_a_name_says_nothing(tmp_path: Path, two_seconds: Floats) -> None:
    for name in ("speech.raw", "speech.txt", "speech", "speech.m3u8", "😀.wav"):
        path = tmp_path / name
        path.write_bytes(GOOD["ogg-opus"](two_seconds, RATE))
        assert load_audio(path).duration_s == pytest.approx(2.0, abs=1e-3)
        path.write_bytes(GOOD["wav-s16"](two_seconds, RATE))
        assert load_audio(path).duration_s == pytest.approx(2.0)


def test_a_recorder_in_a_browser_writes_no_duration(two_seconds: Floats) -> None:
    _, stream = heard(GOOD["webm-opus-recorder"](two_seconds, RATE))
    assert stream.info.duration_s is None


def test_a_pipe_is_read_to_its_end(two_seconds: Floats) -> None:
    class Stdin(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: Any) -> int:
            raise OSError("a pipe")

    for name in ("mp4-aac", "wav-s16", "webm-opus-recorder"):
        audio = load_audio(Stdin(GOOD[name](two_seconds, RATE)))
        assert audio.duration_s == pytest.approx(2.0, abs=0.05)


def test_a_lying_duration_does_not_matter() -> None:
    samples, _ = heard(lying_webm(86_400 * 3), limits=AudioLimits(max_seconds=60))
    assert len(samples) == 16_000
    samples, _ = heard(lying_webm(0.001))
    assert len(samples) == 16_000


def test_a_header_that_claims_a_day_is_a_truncated_file() -> None:
    data = claiming(wav(tone(1.0, 8_000), 8_000, "PCM_U8"), 86_400 * 8_000)
    samples, stream = heard(data, limits=AudioLimits(max_seconds=60))
    assert len(samples) == 16_000
    assert [notice.code for notice in stream.notices] == ["truncated_audio"]


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF])
def test_a_wav_written_as_a_stream_is_whole(length: int) -> None:
    samples, stream = heard(claiming(wav(tone()), length))
    assert len(samples) == 16_000
    assert stream.notices == []


@pytest.mark.parametrize("name", ["wav-s16", "wav-mulaw", "rf64", "flac", "mp3", "ogg-opus", "mp4-aac-fragmented"])
def test_a_truncated_file_gives_what_is_there_and_a_notice(name: str) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 10 * RATE).astype(np.float32)
    data = GOOD[name](noise, RATE)
    samples, stream = heard(data[: len(data) // 2])
    assert 3.0 < len(samples) / 16_000 < 7.0
    assert "truncated_audio" in [notice.code for notice in stream.notices]


def test_an_mp4_that_was_cut_off_says_what_is_missing(two_seconds: Floats) -> None:
    data = GOOD["mp4-aac"](two_seconds, RATE)
    with pytest.raises(UndecodableAudio, match="index is missing"):
        open_audio(io.BytesIO(data[: len(data) // 2]))


@pytest.mark.parametrize("name", ["flac", "mp3", "aac-adts", "ogg-opus", "webm-opus"])
def test_damage_in_the_middle_does_not_end_a_recording(name: str) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 10 * RATE).astype(np.float32)
    data = bytearray(GOOD[name](noise, RATE))
    data[len(data) // 2 : len(data) // 2 + 50] = bytes(50)
    samples, _ = heard(bytes(data))
    assert len(samples) / 16_000 > 9.0


def test_numbers_that_are_none_become_silence() -> None:
    samples = tone(1.0, 44_100)
    samples[1000:2000] = np.nan
    samples[3000], samples[3001], samples[3002] = np.inf, -np.inf, 1e38
    found, stream = heard(wav(samples, 44_100, "FLOAT"))
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 1.0
    assert np.abs(found[400:650]).max() < 0.01
    assert [notice.code for notice in stream.notices] == ["bad_samples"]


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000, 192_000])
def test_one_sample_is_a_recording(rate: int) -> None:
    samples, _ = heard(wav(tone(1.0)[:1], rate))
    assert 1 <= len(samples) <= 2


def test_a_tag_of_any_size_is_stepped_over(two_seconds: Floats) -> None:
    for name in ("mp3", "flac", "aac-adts", "wav-s16"):
        data = id3(3_000_000, bytes(3_000_000)) + id3(10, bytes(10)) + GOOD[name](two_seconds, RATE)
        assert len(heard(data)[0]) / 16_000 == pytest.approx(2.0, abs=0.1)


def test_the_limit_of_seconds_holds_for_every_format(two_seconds: Floats) -> None:
    for name in ("wav-s16", "flac", "mp3", "webm-opus", "webm-opus-recorder", "mp4-aac", "mp4-aac-fragmented"):
        data = GOOD[name](two_seconds, RATE)
        with pytest.raises(AudioTooLong), open_audio(io.BytesIO(data), limits=AudioLimits(max_seconds=1)) as stream:
            for _ in stream.blocks():
                pass


def test_a_recording_that_is_surely_too_long_is_refused_unheard(two_seconds: Floats) -> None:
    for name in ("wav-s16", "aiff", "webm-opus", "mp4-aac", "ogg-opus"):
        with pytest.raises(AudioTooLong):
            open_audio(io.BytesIO(GOOD[name](two_seconds, RATE)), limits=AudioLimits(max_seconds=1))


def test_the_limit_of_bytes_holds_for_files_and_pipes(tmp_path: Path) -> None:
    data, path = wav(tone()), tmp_path / "speech"
    path.write_bytes(data)
    limits = AudioLimits(max_bytes=len(data) - 1)
    for source in (path, io.BytesIO(data)):
        with pytest.raises(AudioTooLarge):
            open_audio(source, limits=limits)
    assert load_audio(path, limits=AudioLimits(max_bytes=len(data))).duration_s == 1.0


def test_a_hole_in_the_time_stamps_is_silence() -> None:
    """A recorder that was paused: what is said after the pause keeps its time."""
    samples, _ = heard(_with_hole(3.0))
    assert len(samples) / 16_000 == pytest.approx(5.0, abs=0.05)
    assert np.abs(samples[20_000:60_000]).max() < 0.01
    assert np.abs(samples[66_000:78_000]).max() > 0.25


def test_a_hole_of_half_an_hour_is_damage() -> None:
    samples, _ = heard(_with_hole(2_000.0))
    assert len(samples) / 16_000 == pytest.approx(2.0, abs=0.05)


def _with_hole(seconds: float) -> bytes:
    import av

    sink = io.BytesIO()
    with av.open(sink, "w", format="matroska") as output:
        stream: Any = output.add_stream("pcm_s16le", rate=16_000)
        stream.layout = "mono"
        for number in range(20):
            part = (tone(0.1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(part[None], format="s16", layout="mono")
            frame.sample_rate = 16_000
            frame.pts = number * 1600 + (round(seconds * 16_000) if number >= 10 else 0)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return sink.getvalue()


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "not there"):
        with pytest.raises(UnreadableFile) as caught:
            open_audio(path)
        assert str(tmp_path) not in caught.value.message


def test_an_open_file_is_read_from_its_beginning_and_stays_open() -> None:
    file = io.BytesIO(wav(tone()))
    file.seek(0, io.SEEK_END)
    for _ in range(2):
        assert load_audio(file).duration_s == 1.0
    assert not file.closed


def test_a_path_is_closed(tmp_path: Path, two_seconds: Floats) -> None:
    for name in ("wav-s16", "mp3"):
        path = tmp_path / name
        path.write_bytes(GOOD[name](two_seconds, RATE))
        stream = open_audio(path)
        stream.close()
        stream.close()
        assert stream._source.file.closed


def test_empty_is_empty_and_says_so() -> None:
    with pytest.raises(EmptyAudio):
        load_audio(io.BytesIO(b""))
    with pytest.raises(EmptyAudio):
        load_audio(io.BytesIO(wav(np.zeros(0, np.float32))))


def test_no_title_and_no_name_is_ever_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    sink = Pipe()
    import av

    with av.open(sink, "w", format="mp3") as output:
        output.metadata["title"] = "canary"
        stream: Any = output.add_stream("libmp3lame", rate=16_000)
        output.mux(stream.encode(None))
    data = bytearray(GOOD["mp3"](tone(), 16_000))
    data[1000:1400] = bytes(400)
    with caplog.at_level(logging.DEBUG):
        load_audio(io.BytesIO(bytes(sink.data) + bytes(data)))
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")
