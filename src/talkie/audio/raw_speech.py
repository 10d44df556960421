"""A stream of spoken pieces to headerless PCM of the rate and kind that were asked for.

Knows nothing of who asked, or of marks: times stay what they are when the rate changes.
"""

from __future__ import annotations

from talkie.audio.formats import RawFormat
from talkie.audio.raw_encode import encode_raw
from talkie.audio.resample import StreamResampler
from talkie.types import Samples


class RawSpeech:
    """One utterance: `feed` its pieces, then `finish` once, for what the resampler held back."""

    def __init__(self, raw: RawFormat) -> None:
        self._raw = raw
        self._resampler = StreamResampler(raw.sample_rate)

    def feed(self, samples: Samples, sample_rate: int) -> bytes:
        return encode_raw(self._resampler.feed(samples, sample_rate), self._raw)

    def finish(self) -> bytes:
        return encode_raw(self._resampler.finish(), self._raw)


def cut(data: bytes, frame_bytes: int, most_bytes: int) -> list[bytes]:
    """In pieces of whole frames, so that no message is too large for whoever reads it."""
    step = max(1, most_bytes // frame_bytes) * frame_bytes
    return [data[at : at + step] for at in range(0, len(data), step)]
