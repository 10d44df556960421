"""A stream of pieces of any rate to one of 16 kHz (or another), without a seam between pieces (soxr, quality HQ).

Knows nothing of files. The rate may change from one piece to the next: the resampler is then flushed and begun anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from talkie.types import SAMPLE_RATE_HZ, Samples

MAX_RATE_CHANGES = 1000


class StreamResampler:
    """Mono pieces in, mono at `to_hz` out."""

    def __init__(self, to_hz: int = SAMPLE_RATE_HZ) -> None:
        self._to_hz = to_hz
        self._rate = 0
        self._stream: Any = None
        self._changes = 0

    def feed(self, samples: Samples, sample_rate: int) -> Samples:
        """What is ready; the resampler keeps a few milliseconds back. Raises `ValueError` when rates never settle."""
        before = self.finish() if sample_rate != self._rate else samples[:0]
        if sample_rate != self._rate:
            self._begin(sample_rate)
        after = samples if self._stream is None else self._stream.resample_chunk(np.ascontiguousarray(samples))
        return np.concatenate([before, after]) if len(before) else after

    def finish(self) -> Samples:
        """What was kept back."""
        stream, self._stream, self._rate = self._stream, None, 0
        if stream is None:
            return np.zeros(0, np.float32)
        return np.asarray(stream.resample_chunk(np.zeros(0, np.float32), last=True), np.float32)

    def _begin(self, sample_rate: int) -> None:
        self._changes += 1
        if self._changes > MAX_RATE_CHANGES:
            raise ValueError("the sample rate changes without end")
        self._rate = sample_rate
        if sample_rate != self._to_hz:
            import soxr  # here, so that what never decodes never loads it

            self._stream = soxr.ResampleStream(sample_rate, self._to_hz, 1, dtype="float32", quality="HQ")
