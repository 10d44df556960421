"""Speech to bytes while it is made, in the six formats of OpenAI's API.

Knows nothing of sockets or files: samples go in piece by piece, and what is whole of the encoded stream comes out.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias, get_args

from talkie.audio.encoder_plain import PcmEncoder, WavEncoder
from talkie.types import Samples

SpeechFormat: TypeAlias = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
FORMATS: tuple[SpeechFormat, ...] = get_args(SpeechFormat)
MEDIA_TYPES: dict[SpeechFormat, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
MIN_HZ, MAX_HZ = 8000, 48_000


class Encoder(Protocol):
    """One stream of mono speech. `feed` may give nothing; `finish` is called once and gives the rest."""

    @property
    def sample_rate(self) -> int:
        """Of what comes out: `pcm` 24 kHz, `opus` and `aac` 48, `mp3` the nearest that it has, others the voice's."""
        ...

    def feed(self, samples: Samples) -> bytes: ...

    def finish(self) -> bytes: ...


def open_encoder(name: SpeechFormat, sample_rate: int) -> Encoder:
    """A fresh stream of speech of that rate, `MIN_HZ` to `MAX_HZ`. Raises `ValueError` for another."""
    if not MIN_HZ <= sample_rate <= MAX_HZ:
        raise ValueError(f"no speech has {sample_rate} Hz")
    if name == "pcm":
        return PcmEncoder(sample_rate)
    if name == "wav":
        return WavEncoder(sample_rate)
    from talkie.audio.encoder_av import AvEncoder  # FFmpeg is 100 ms of imports that the plain formats do without

    return AvEncoder(name, sample_rate)
