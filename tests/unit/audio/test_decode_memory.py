"""Ten hours need no more memory than ten minutes: measured as the growth of the process, native memory included."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from audio_files import encode
from talkie.audio.decode import AudioLimits, open_audio
from talkie.audio.segment import SegmentOptions
from talkie.audio.window import Windower

HOURS = 4
RATE = 8_000
GROWTH_BYTES = 30 << 20
"""Four hours at 16 kHz float32 are 920 MB."""


class Silent:
    """A detector that hears nothing."""

    def feed(self, samples: np.ndarray) -> np.ndarray:
        return np.zeros(len(samples) // 512, np.float32)

    def finish(self) -> np.ndarray:
        return np.zeros(0, np.float32)


def growth(blocks: Iterator[np.ndarray]) -> tuple[int, int]:
    """Samples seen, and the most memory that was gained after the first block."""
    process = psutil.Process()
    windower = Windower(Silent(), SegmentOptions())
    total = len(next(blocks))
    start = most = process.memory_info().rss
    for number, block in enumerate(blocks):
        total += len(block)
        windower.feed(block)
        if number % 20 == 0:
            most = max(most, process.memory_info().rss)
    return total, most - start


@pytest.mark.slow
def test_hours_of_wav_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    size = HOURS * 3600 * RATE * 2
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + fmt + struct.pack("<4sI", b"data", size)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)  # sparse: no disk is used
    with open_audio(path, limits=AudioLimits(max_seconds=86_400)) as stream:
        total, gained = growth(stream.blocks())
    assert total == HOURS * 3600 * 16_000
    assert gained < GROWTH_BYTES


@pytest.mark.slow
def test_half_an_hour_of_matroska_in_bounded_memory() -> None:
    minute = np.random.default_rng(0).normal(0, 0.05, RATE * 60).astype(np.float32)
    data = encode(np.tile(minute, 30), RATE, "matroska", "pcm_s16le", pipe=True)
    with open_audio(io.BytesIO(data)) as stream:
        total, gained = growth(stream.blocks())
    assert total == 30 * 60 * 16_000
    assert gained < GROWTH_BYTES
