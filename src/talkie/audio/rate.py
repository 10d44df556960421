"""A stream of pieces of one rate to another rate, without a seam between pieces (soxr, quality HQ).

Knows nothing of what it is for. Hearing has a stream of its own (`resample.py`), whose rate may change midway.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from talkie.types import Samples


class RateChanger:
    """Mono pieces in, mono pieces out; a few milliseconds stay behind until `finish`."""

    def __init__(self, sample_rate: int, wanted: int) -> None:
        self._stream: Any = None
        if sample_rate != wanted:
            import soxr  # here, so that speech at the rate wanted never loads it

            self._stream = soxr.ResampleStream(sample_rate, wanted, 1, dtype="float32", quality="HQ")

    def feed(self, samples: Samples) -> Samples:
        return samples if self._stream is None else self._through(samples)

    def finish(self) -> Samples:
        """What was kept back."""
        return np.zeros(0, np.float32) if self._stream is None else self._through(np.zeros(0, np.float32), last=True)

    def _through(self, samples: Samples, *, last: bool = False) -> Samples:
        return np.asarray(self._stream.resample_chunk(np.ascontiguousarray(samples, np.float32), last=last), np.float32)
