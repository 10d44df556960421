"""The small parts of decoding: first bytes, downmix, resampling, endings, holes, tags, and WAV out."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st

from audio_files import GOOD, claiming, id3, tone, wav
from talkie.audio.downmix import DEFAULT_LAYOUTS, layout_weights, to_mono
from talkie.audio.encode import encode_wav, to_pcm16
from talkie.audio.endings import falls_short, mp4_has_index, ogg_is_cut, wav_header
from talkie.audio.resample import StreamResampler
from talkie.audio.sniff import DEMUXERS, sniff
from talkie.audio.source import Source, open_source
from talkie.audio.timeline import Timeline, silence
from talkie.errors import AudioError, UndecodableAudio


def source(data: bytes) -> Source:
    return open_source(io.BytesIO(data))


# first bytes


@given(st.binary(max_size=64))
def test_any_first_bytes_are_known_unknown_or_refused(head: bytes) -> None:
    try:
        kind = sniff(head)
    except AudioError:
        return
    assert kind.demuxer == "" or kind.demuxer in DEMUXERS


@pytest.mark.parametrize("name", GOOD)
def test_good_files_pass_the_first_look(name: str) -> None:
    kind = sniff(GOOD[name](tone(0.5, 48_000), 48_000)[:4096])
    assert kind.plain == name.startswith(("wav-", "rifx", "rf64", "w64", "aiff", "flac"))


def test_text_with_a_letter_cut_at_the_end_is_text() -> None:
    head = ("ä" * 3000).encode()[:4095] + "é".encode()[:1]
    with pytest.raises(UndecodableAudio, match="text"):
        sniff(head)


def test_no_demuxer_on_the_list_follows_instructions() -> None:
    assert not set(DEMUXERS) & {
        "hls", "concat", "sdp", "rtsp", "rtp", "dash", "image2", "image2pipe", "lavfi", "tedcaptions", "ffmetadata",
        "sap", "smoothstreaming", "webm_dash_manifest", "imf", "alsa", "v4l2", "x11grab", "vobsub",
    }  # fmt: skip


# downmix


@pytest.mark.parametrize("channels", DEFAULT_LAYOUTS)
def test_weights_sum_to_one(channels: int) -> None:
    weights = layout_weights(DEFAULT_LAYOUTS[channels])
    assert weights.shape == (channels,)
    assert weights.sum() == pytest.approx(1.0)


def test_speech_in_the_centre_counts_most_and_rumble_not_at_all() -> None:
    left, _, centre, effects, rear, _ = layout_weights(DEFAULT_LAYOUTS[6]).tolist()
    assert centre > left > rear > effects == 0.0


def test_stereo_and_unknown_layouts_are_the_mean() -> None:
    assert layout_weights(("FL", "FR")).tolist() == [0.5, 0.5]
    assert layout_weights(("",) * 4).tolist() == [0.25] * 4
    assert to_mono(np.array([[1.0, 0.5]], np.float32), layout_weights(("FL", "FR"))).tolist() == [0.75]


# resampling


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 192_000])
def test_pieces_are_resampled_without_a_seam(rate: int) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, rate).astype(np.float32)
    resampler = StreamResampler()
    pieces = [resampler.feed(part, rate) for part in np.array_split(samples, 7)]
    found = np.concatenate([*pieces, resampler.finish()])
    np.testing.assert_allclose(found, soxr.resample(samples, rate, 16_000), atol=1e-5)


def test_a_rate_may_change_on_the_way() -> None:
    resampler = StreamResampler()
    parts = [resampler.feed(tone(1.0, rate), rate) for rate in (8_000, 16_000, 48_000, 16_000)]
    assert sum(map(len, [*parts, resampler.finish()])) == pytest.approx(64_000, abs=4)


# endings


def test_wav_headers_say_how_much_there_should_be() -> None:
    data = wav(tone())
    header = wav_header(source(data))
    assert header is not None
    assert (header.data_bytes, header.held_bytes, header.expected_s) == (32_000, 32_000, None)
    cut = wav_header(source(data[:-16_000]))
    assert cut is not None
    assert cut.expected_s == 1.0
    streamed = wav_header(source(claiming(data, 0xFFFFFFFF)))
    assert streamed is not None
    assert streamed.data_bytes is None
    for name in ("rifx", "rf64", "wav-extensible"):
        other = wav_header(source(GOOD[name](tone(), 16_000)))
        assert other is not None
        assert other.data_bytes == 32_000, name


@given(st.binary(max_size=200))
def test_any_bytes_are_a_header_or_none(data: bytes) -> None:
    wav_header(Source(io.BytesIO(b"RIFF\0\0\0\0WAVE" + data), lambda: None))
    mp4_has_index(Source(io.BytesIO(data), lambda: None))
    ogg_is_cut(Source(io.BytesIO(data), lambda: None))


def test_a_cut_ogg_is_known_by_its_last_page() -> None:
    data = GOOD["ogg-opus"](tone(2.0, 48_000), 48_000)
    assert not ogg_is_cut(source(data))
    assert ogg_is_cut(source(data[:-10]))
    assert ogg_is_cut(source(data[: data.rfind(b"OggS") + 20]))


def test_an_index_is_found_before_or_after_the_samples() -> None:
    assert mp4_has_index(source(GOOD["mp4-aac"](tone(), 16_000)))
    assert mp4_has_index(source(GOOD["mp4-aac-fragmented"](tone(), 16_000)))
    assert not mp4_has_index(source(struct.pack(">I4s", 8, b"ftyp") * 10))


def test_a_little_less_is_rounding() -> None:
    assert not falls_short(10.0, None)
    assert not falls_short(9.5, 10.0)
    assert not falls_short(985.0, 1000.0)
    assert falls_short(8.0, 10.0)


# holes


def test_holes_are_bounded() -> None:
    timeline = Timeline()
    timeline.add(16_000, 16_000)
    assert timeline.hole(None) == 0
    assert timeline.hole(0.5) == 0
    assert timeline.hole(1.1) == 0
    assert timeline.hole(3.0) == pytest.approx(2.0)
    assert timeline.hole(10_000) == 0
    for _ in range(20):
        timeline.hole(timeline.held_s + 500)
    assert timeline.hole(timeline.held_s + 500) == 0


def test_silence_comes_in_small_pieces() -> None:
    pieces = list(silence(12.0, 8_000))
    assert [len(piece.samples) for piece in pieces] == [40_000, 40_000, 16_000]


# tags


def test_tags_are_stepped_over() -> None:
    opened = source(id3(100, bytes(100)) + b"speech")
    assert (opened.start, opened.size, opened.peek(0, 10)) == (110, 6, b"speech")
    with pytest.raises(UndecodableAudio, match="tag"):
        source(id3(1000, bytes(100)))


# WAV out


def test_samples_become_wav_and_come_back() -> None:
    samples = tone()
    found, rate = soundfile.read(io.BytesIO(encode_wav(samples, 22_050)), dtype="float32")
    assert rate == 22_050
    np.testing.assert_allclose(found, samples, atol=1 / 32_000)


def test_pcm_is_clipped_rounded_and_silent_where_there_is_no_number() -> None:
    values = np.array([2.0, -2.0, 1.0, 0.0, np.nan, np.inf, 0.9 / 32767], np.float32)
    assert to_pcm16(values).tolist() == [32767, -32767, 32767, 0, 0, 32767, 1]


def test_an_empty_wav_is_a_wav() -> None:
    assert soundfile.info(io.BytesIO(encode_wav(np.zeros(0, np.float32), 16_000))).frames == 0
