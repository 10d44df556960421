"""Speech as plain samples while it is made: 16-bit PCM at 24 kHz, and WAV at the voice's own rate.

Knows nothing of who reads it.
"""

from __future__ import annotations

import struct

from talkie.audio.encode import to_pcm16
from talkie.audio.rate import RateChanger
from talkie.types import Samples

PCM_HZ = 24_000
"""The one rate of headerless PCM in OpenAI's API, whatever the voice's own is."""
UNKNOWN_BYTES = 0xFFFFFFFF
"""What a WAV file that is still being made says of its length: read on to the end."""
HEADER_BYTES = 44


class PcmEncoder:
    """Little-endian 16-bit samples, nothing else."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = RateChanger(sample_rate, PCM_HZ)

    @property
    def sample_rate(self) -> int:
        return PCM_HZ

    def feed(self, samples: Samples) -> bytes:
        return to_pcm16(self._rate.feed(samples)).tobytes()

    def finish(self) -> bytes:
        return to_pcm16(self._rate.finish()).tobytes()


class WavEncoder:
    """A header, with the first samples, and then samples."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._head = wav_header(sample_rate)

    @property
    def sample_rate(self) -> int:
        return self._sample_rate

    def feed(self, samples: Samples) -> bytes:
        head, self._head = self._head, b""
        return head + to_pcm16(samples).tobytes()

    def finish(self) -> bytes:
        head, self._head = self._head, b""
        return head


def wav_header(sample_rate: int, data_bytes: int | None = None) -> bytes:
    """The 44 bytes before mono 16-bit samples; None: their number is not known yet."""
    known = data_bytes is not None and data_bytes + HEADER_BYTES - 8 < UNKNOWN_BYTES
    data = data_bytes if known and data_bytes is not None else UNKNOWN_BYTES
    riff = data + HEADER_BYTES - 8 if known else UNKNOWN_BYTES
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, sample_rate, sample_rate * 2, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + fmt + struct.pack("<4sI", b"data", data)
