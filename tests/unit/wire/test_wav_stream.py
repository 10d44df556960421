"""A WAV header at the front of a stream: found wherever pieces end, and never heard as sound."""

from __future__ import annotations

import io
import struct
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.audio.formats import RawFormat
from talkie.errors import BadRawParameters, UndecodableAudio
from talkie.wire.wav_stream import MAX_HEAD_BYTES, WavStream


def wav(sound: bytes, rate: int = 8_000, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(sound)
    return file.getvalue()


def chunk(name: bytes, data: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(data) if size is None else size) + data + b"\0" * (len(data) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def fmt(tag: int, bits: int, rate: int = 16_000, channels: int = 1, more: bytes = b"") -> bytes:
    block = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits) + more)


def heard(data: bytes, cuts: list[int]) -> tuple[RawFormat | None, bytes]:
    stream, out, last = WavStream(), b"", 0
    for cut in [*sorted(cuts), len(data)]:
        out += stream.feed(data[last:cut])
        last = cut
    return stream.raw, out + stream.finish()


@given(st.binary(max_size=300), st.lists(st.integers(0, 400), max_size=6), st.sampled_from([1, 2]))
def test_the_sound_is_what_was_written_wherever_pieces_end(sound: bytes, cuts: list[int], channels: int) -> None:
    sound = sound[: len(sound) // 4 * 4]
    data = wav(sound, 44_100, channels) if sound else wav(b"\1\0\1\0", 44_100, channels)
    data += chunk(b"LIST", b"somebody's name")
    raw, out = heard(data, [cut for cut in cuts if cut <= len(data)])
    assert raw == RawFormat(44_100, channels, "s16le")
    assert out == (sound or b"\1\0\1\0")


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_what_is_no_wav_passes_as_it_is(data: bytes, cuts: list[int]) -> None:
    if data.startswith(b"RIFF"):
        return
    raw, out = heard(data, [cut for cut in cuts if cut <= len(data)])
    assert (raw, out) == (None, data)


@pytest.mark.parametrize(
    ("tag", "bits", "more", "encoding"),
    [
        (1, 8, b"", "u8"),
        (1, 24, b"", "s24le"),
        (3, 32, b"", "f32le"),
        (6, 8, b"", "alaw"),
        (7, 8, b"\0\0", "mulaw"),
        (0xFFFE, 16, struct.pack("<HHIH", 22, 16, 4, 1) + b"\0" * 14, "s16le"),
    ],
)
def test_every_format_of_wav_that_we_hear(tag: int, bits: int, more: bytes, encoding: str) -> None:
    raw, out = heard(riff(chunk(b"JUNK", b"abc"), fmt(tag, bits, more=more), chunk(b"data", b"12345678")), [])
    assert raw is not None
    assert raw.encoding == encoding
    assert out == b"12345678"


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_writer_that_does_not_know_the_length(size: int) -> None:
    _, out = heard(riff(fmt(1, 16), chunk(b"data", b"", size)) + b"1234" * 10, [30, 50])
    assert out == b"1234" * 10


@pytest.mark.parametrize(
    "data",
    [
        riff(chunk(b"data", b"1234")),
        riff(chunk(b"fmt ", b"short"), chunk(b"data", b"1234")),
        riff(fmt(85, 16), chunk(b"data", b"1234")),
        riff(chunk(b"JUNK", b"\0" * (MAX_HEAD_BYTES + 10))),
    ],
)
def test_a_damaged_header_is_an_error(data: bytes) -> None:
    with pytest.raises(UndecodableAudio):
        heard(data, [])


def test_a_rate_that_cannot_be_is_an_error() -> None:
    with pytest.raises(BadRawParameters):
        heard(riff(fmt(1, 16, rate=0), chunk(b"data", b"1234")), [])
