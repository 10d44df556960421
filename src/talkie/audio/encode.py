"""Samples to bytes: 16-bit PCM, and WAV around it.

Knows nothing of who will play it.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from talkie.types import Samples

PCM16_SCALE = 32767.0
MAX_WAV_BYTES = 0xFFFFFFFF - 36


def to_pcm16(samples: Samples) -> NDArray[np.int16]:
    """Float -1..1 to little-endian int16, rounded; louder is clipped and what is no number becomes silence."""
    finite = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.asarray(np.rint(np.clip(finite, -1.0, 1.0) * PCM16_SCALE), "<i2")


def encode_wav(samples: Samples, sample_rate: int) -> bytes:
    """A mono 16-bit WAV file. Raises `ValueError` above 4 GB, which the format cannot say."""
    data = to_pcm16(samples).tobytes()
    if len(data) > MAX_WAV_BYTES:
        raise ValueError("a WAV file holds at most 4 GB")
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, sample_rate, sample_rate * 2, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", 36 + len(data), b"WAVE") + fmt + struct.pack("<4sI", b"data", len(data)) + data
    )
