"""Sound that comes in bytes, piece by piece, to 16 kHz mono float32. Knows nothing of sockets or speech.

Pieces may end anywhere, in the middle of a sample too: what is not yet a whole frame is kept for the next piece. What
is no number (NaN, infinity) is heard as silence, as it is in files, for a resampler spreads one over all that follows.
"""

from __future__ import annotations

import numpy as np

from talkie.audio.downmix import DEFAULT_LAYOUTS, layout_weights, to_mono
from talkie.audio.formats import RawFormat
from talkie.audio.raw import decode_samples
from talkie.audio.resample import StreamResampler
from talkie.types import Samples


class LivePcm:
    """The sound of one stream. `feed` any bytes; `finish` gives what the resampler kept back, a few milliseconds."""

    def __init__(self, raw: RawFormat) -> None:
        self._raw = raw
        self._weights = layout_weights(DEFAULT_LAYOUTS[raw.channels])
        self._resampler = StreamResampler()
        self._rest = b""

    @property
    def left_over(self) -> int:
        """Bytes of a frame that is not whole yet; at the end they are lost, for they mean nothing."""
        return len(self._rest)

    def feed(self, data: bytes) -> Samples:
        """Shape `(k,)`, -1..1: what is ready by now, which may be nothing."""
        data = self._rest + data
        whole = len(data) // self._raw.frame_bytes * self._raw.frame_bytes
        self._rest = data[whole:]
        if not whole:
            return np.zeros(0, np.float32)
        frames = decode_samples(self._raw.encoding, data[:whole]).reshape(-1, self._raw.channels)
        samples = _clean(to_mono(frames, self._weights))
        return np.clip(self._resampler.feed(samples, self._raw.sample_rate), -1.0, 1.0)

    def finish(self) -> Samples:
        """The last of it. The stream may go on afterwards, as one that begins anew."""
        self._rest = b""
        return np.clip(self._resampler.finish(), -1.0, 1.0)


def _clean(samples: Samples) -> Samples:
    return np.clip(np.where(np.isfinite(samples), samples, np.float32(0)), -1.0, 1.0)
