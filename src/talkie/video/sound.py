"""The sound beside pictures: AAC or Opus at 48 kHz, through PyAV.

A high rate, since what an encoder puts before the sound is a fixed number of samples: 21 ms of AAC here, 128 at 8 kHz,
which players that do not read edit lists would hear. Knows nothing of containers.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import av
import numpy as np

from talkie.errors import VideoFailed
from talkie.types import Samples

SoundCodec: TypeAlias = Literal["aac", "opus"]
SOUND_HZ = 48_000
PRIMING = {"aac": 1024, "opus": 312}
"""Samples that an encoder puts before the first of ours."""
_ENCODERS: dict[SoundCodec, tuple[str, str, int]] = {"aac": ("aac", "fltp", 96), "opus": ("libopus", "flt", 64)}
"""FFmpeg's name, the form of samples that it takes, and kbit/s."""


@dataclass(frozen=True, slots=True)
class SoundUnit:
    """One encoded piece; `duration` in samples."""

    data: bytes
    duration: int


def encoder_name(codec: SoundCodec) -> str:
    return _ENCODERS[codec][0]


def configure_sound(context: Any, codec: SoundCodec) -> None:
    """Tell an encoder of FFmpeg, not yet open, all that it must know."""
    from av.codec.context import Flags

    _, form, kbits = _ENCODERS[codec]
    context.sample_rate, context.time_base = SOUND_HZ, Fraction(1, SOUND_HZ)
    context.layout, context.format = "mono", form
    context.bit_rate = kbits * 1000
    context.flags |= Flags.global_header
    context.options = {"aac_coder": "fast"} if codec == "aac" else {"compression_level": "5"}


class SoundFrames:
    """Samples of one rate as frames of FFmpeg at 48 kHz, without a seam. Raises `VideoFailed` when the rate changes."""

    def __init__(self, codec: SoundCodec) -> None:
        self._form = _ENCODERS[codec][1]
        self._rate = self._length = 0
        self._stream: Any = None

    def feed(self, samples: Samples, sample_rate: int) -> list[Any]:
        if not self._rate:
            self._begin(sample_rate)
        if sample_rate != self._rate:
            raise VideoFailed("its sound changes its rate.")
        finite = np.nan_to_num(np.clip(samples, -1.0, 1.0), nan=0.0).astype(np.float32)
        return self._frames(finite if self._stream is None else self._stream.resample_chunk(finite))

    def finish(self) -> list[Any]:
        """What was kept back."""
        if self._stream is None:
            return []
        return self._frames(self._stream.resample_chunk(np.zeros(0, np.float32), last=True))

    def _begin(self, sample_rate: int) -> None:
        self._rate = sample_rate
        if sample_rate != SOUND_HZ:
            import soxr  # here, so that sound at the rate wanted never loads it

            self._stream = soxr.ResampleStream(sample_rate, SOUND_HZ, 1, dtype="float32", quality="HQ")

    def _frames(self, samples: Samples) -> list[Any]:
        if not len(samples):
            return []
        clipped = np.clip(samples, -1.0, 1.0)  # resampling overshoots
        frame = av.AudioFrame.from_ndarray(clipped[np.newaxis], format=self._form, layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = SOUND_HZ, Fraction(1, SOUND_HZ), self._length
        self._length += len(clipped)
        return [frame]


class SoundEncoder:
    """A stream of sound without a container. `header` is what a container says of it: AAC's AudioSpecificConfig."""

    def __init__(self, codec: SoundCodec = "aac") -> None:
        self._frames = SoundFrames(codec)
        self._context: Any = av.CodecContext.create(encoder_name(codec), "w")
        configure_sound(self._context, codec)
        self._context.open()
        self.header = bytes(self._context.extradata or b"")

    def feed(self, samples: Samples, sample_rate: int) -> list[SoundUnit]:
        return self._encoded(self._frames.feed(samples, sample_rate))

    def finish(self) -> list[SoundUnit]:
        return self._encoded([*self._frames.finish(), None])

    def _encoded(self, frames: list[Any]) -> list[SoundUnit]:
        try:
            packets = [packet for frame in frames for packet in self._context.encode(frame)]
        except av.FFmpegError as error:
            raise VideoFailed(f"{error.strerror}.") from error
        return [SoundUnit(bytes(packet), packet.duration) for packet in packets]
