"""Speech as MP3, Opus, AAC or FLAC while it is made: FFmpeg's encoders, through PyAV, into a container without an end.

Knows nothing of sockets. Nothing of it seeks: what was given away cannot be changed, so that headers say what is known
at the start. Titles, tags and dates are not written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np

from talkie.audio.encode import to_pcm16
from talkie.audio.encoder_mp3 import info_frame, nearest_rate
from talkie.audio.rate import RateChanger
from talkie.types import Samples

MP3_KBITS = {32_000: 64, 64_000: 128}
"""Up to a rate in Hz, kbit/s: more than speech can use, and every version of the format knows both."""


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How one format is made; `pcm`: from 16-bit samples, since it loses nothing of them. `effort` is how hard the
    encoder tries: as hard as speech needs, at a hundred times real time on one core or more."""

    container: str
    codec: str
    kbits: int
    pcm: bool = False
    options: dict[str, str] = field(default_factory=dict)
    effort: dict[str, str] = field(default_factory=dict)


_RECIPES = {
    "mp3": _Recipe(
        "mp3", "libmp3lame", 64, options={"write_xing": "0", "id3v2_version": "0"}, effort={"compression_level": "5"}
    ),
    "opus": _Recipe(
        "ogg",
        "libopus",
        48,
        options={"page_duration": "100000"},
        effort={"compression_level": "5", "application": "voip"},
    ),
    "aac": _Recipe("adts", "aac", 96, effort={"aac_coder": "fast"}),
    "flac": _Recipe("flac", "flac", 0, pcm=True, options={"metadata_header_padding": "0"}),
}
OPUS_HZ = AAC_HZ = 48_000
"""Opus decodes to nothing else; AAC puts 1024 samples before the speech and says so nowhere, so a high rate it is."""


class AvEncoder:
    """One stream of mono speech in one of `mp3 opus aac flac`."""

    def __init__(self, name: str, sample_rate: int) -> None:
        recipe = _RECIPES[name]
        self.sample_rate = _rate_of(name, sample_rate)
        self._rate = RateChanger(sample_rate, self.sample_rate)
        self._pcm = recipe.pcm
        self._sink = _Sink()
        kbits = recipe.kbits
        if name == "mp3":
            kbits = next(most for up_to, most in MP3_KBITS.items() if self.sample_rate <= up_to)
            self._sink.write(info_frame(self.sample_rate, kbits))
        self._container: Any = av.open(
            self._sink, "w", format=recipe.container, options={"fflags": "+bitexact", **recipe.options}
        )
        stream: Any = self._container.add_stream(recipe.codec, rate=self.sample_rate)
        stream.codec_context.layout = "mono"
        if kbits:
            stream.bit_rate = kbits * 1000
        stream.codec_context.options = dict(recipe.effort)
        self._stream = stream

    def feed(self, samples: Samples) -> bytes:
        """What is whole by now, which may be nothing."""
        self._encode(self._rate.feed(samples))
        return self._sink.take()

    def finish(self) -> bytes:
        """The rest; the encoder is of no more use."""
        self._encode(self._rate.finish())
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._sink.take()

    def _encode(self, samples: Samples) -> None:
        if not len(samples):
            return
        if self._pcm:
            data: Any = to_pcm16(samples)
        else:
            finite = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
            data = np.clip(finite, -1.0, 1.0).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(data[np.newaxis], format="s16" if self._pcm else "flt", layout="mono")
        frame.sample_rate = self.sample_rate
        self._container.mux(self._stream.encode(frame))


def _rate_of(name: str, sample_rate: int) -> int:
    if name == "mp3":
        return nearest_rate(sample_rate)
    return sample_rate if name == "flac" else OPUS_HZ


class _Sink:
    """A file that only grows, and forgets what was taken from it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
