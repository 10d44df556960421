"""A recording of any kind, as a stream of mono float32 at 16 kHz in bounded memory.

    bytes -> source.py (opened, measured) -> sniff.py (what is it?) -> plain.py | pyav.py | raw.py (mono pieces)
          -> resample.py (16 kHz) -> blocks

Knows nothing of speech, engines or who asked. What is damaged or cut off gives what is there and a notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

from talkie.audio.formats import AudioInfo, AudioLimits, Decoder, Findings, RawFormat
from talkie.audio.resample import StreamResampler
from talkie.audio.sniff import HEAD_BYTES, sniff
from talkie.audio.source import Source, open_source
from talkie.errors import AudioTooLong, EmptyAudio, TalkieError, UndecodableAudio
from talkie.types import SAMPLE_RATE_HZ, Audio, Notice, Samples

__all__ = ["AudioInfo", "AudioLimits", "AudioStream", "RawFormat", "load_audio", "open_audio"]

BLOCK_S = 10
DEFAULT_LIMITS = AudioLimits()


class AudioStream:
    """A recording that is open. `notices` is complete when `blocks` has come to its end."""

    def __init__(
        self, source: Source, decoder: Decoder, limits: AudioLimits, sample_rate: int = SAMPLE_RATE_HZ
    ) -> None:
        self._source, self._decoder, self._limits, self._rate = source, decoder, limits, sample_rate
        self._length = 0
        self._bad_samples = 0
        self.notices: list[Notice] = []

    @property
    def info(self) -> AudioInfo:
        return self._decoder.info

    @property
    def sample_rate(self) -> int:
        """Of the blocks."""
        return self._rate

    def blocks(self) -> Iterator[Samples]:
        """Mono float32 at the rate asked for (16 kHz), -1..1, at most 10 s each; once only.

        Raises `EmptyAudio`, `AudioTooLong` as soon as the limit is passed, and `UndecodableAudio` where nothing at all
        could be decoded.
        """
        for block in self._resampled():
            for start in range(0, len(block), BLOCK_S * self._rate):
                yield self._count(block[start : start + BLOCK_S * self._rate])
        self.notices += self._decoder.findings.notices(self._length / self._rate)
        if self._bad_samples:
            text = f"{self._bad_samples} samples were no numbers and are heard as silence."
            self.notices.append(Notice("bad_samples", text))

    def _resampled(self) -> Iterator[Samples]:
        resampler, decoded = StreamResampler(self._rate), False
        for samples, rate in self._pieces():
            decoded = decoded or len(samples) > 0
            yield resampler.feed(samples, rate)
        yield resampler.finish()
        if not decoded:
            raise self._nothing(self._decoder.findings)
        if not self._length:  # a sample or two of a high rate round to none
            yield np.zeros(1, np.float32)

    def _pieces(self) -> Iterator[tuple[Samples, int]]:
        """The decoder's pieces, cleaned. Whatever a foreign library raises becomes an error of ours."""
        try:
            for piece in self._decoder.pieces():
                yield self._clean(piece.samples), piece.sample_rate
        except TalkieError:
            raise
        except (MemoryError, ValueError, RuntimeError, OSError, LookupError, TypeError, ArithmeticError) as error:
            raise UndecodableAudio(f"its data is damaged ({type(error).__name__}).") from error

    @staticmethod
    def _nothing(findings: Findings) -> TalkieError:
        damaged = findings.skipped or findings.truncated
        return UndecodableAudio("its data is damaged.") if damaged else EmptyAudio()

    def _clean(self, samples: Samples) -> Samples:
        """A resampler spreads one NaN over everything that follows; so they end here."""
        with np.errstate(invalid="ignore"):
            sound = np.isfinite(samples.sum(dtype=np.float64))
        if sound:
            return np.clip(samples, -1.0, 1.0)
        good = np.isfinite(samples)
        self._bad_samples += len(samples) - int(np.count_nonzero(good))
        return np.clip(np.where(good, samples, np.float32(0)), -1.0, 1.0)

    def _count(self, block: Samples) -> Samples:
        self._length += len(block)
        if self._length > self._limits.max_seconds * self._rate:
            raise AudioTooLong(self._limits.max_seconds)
        return np.clip(block, -1.0, 1.0)

    def surely_too_long(self) -> bool:
        """Is the recording longer than the limit, by what is in the file and not by what it says of itself?"""
        return self._decoder.surely_longer_than(self._limits.max_seconds)

    def close(self) -> None:
        """Gives the file back; more than once is fine."""
        self._decoder.close()
        self._source.close()

    def __enter__(self) -> AudioStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_audio(
    source: Path | IO[bytes],
    *,
    raw: RawFormat | None = None,
    limits: AudioLimits = DEFAULT_LIMITS,
    sample_rate: int | Callable[[AudioInfo], int] = SAMPLE_RATE_HZ,
) -> AudioStream:
    """Open a recording by path or as an open binary file; with `raw`, bytes without a header. The rate of its blocks
    may be chosen when it is known what the recording is.

    An open file is read from its beginning, a pipe from where it is, and neither is closed. Raises `UndecodableAudio`,
    `NoAudioStream`, `EmptyAudio`, `AudioTooLong` (where it is certain by now), `AudioTooLarge`, `ContainerNotAllowed`.
    """
    opened = open_source(source, limits.max_bytes)
    try:
        decoder = _decoder(opened, raw)
        rate_hz = sample_rate(decoder.info) if callable(sample_rate) else sample_rate
        stream = AudioStream(opened, decoder, limits, rate_hz)
    except BaseException:
        opened.close()
        raise
    if stream.surely_too_long():
        stream.close()
        raise AudioTooLong(limits.max_seconds)
    return stream


def load_audio(
    source: Path | IO[bytes], *, raw: RawFormat | None = None, limits: AudioLimits = DEFAULT_LIMITS
) -> Audio:
    """The whole recording at once: 230 MB an hour. Raises what `open_audio` and `AudioStream.blocks` raise."""
    with open_audio(source, raw=raw, limits=limits) as stream:
        return Audio(np.concatenate(list(stream.blocks())))


def _decoder(source: Source, raw: RawFormat | None) -> Decoder:
    """The cheapest decoder that reads it. The libraries are loaded here, by the first recording that needs them."""
    if raw is not None:
        from talkie.audio.raw import RawDecoder

        return RawDecoder(source, raw)
    kind = sniff(source.peek(0, HEAD_BYTES))
    if kind.plain:
        from talkie.audio.plain import NotPlain, PlainDecoder

        try:
            return PlainDecoder(source, kind.demuxer)
        except NotPlain:  # an odd codec in a WAV: FFmpeg knows more of them
            pass
    from talkie.audio.pyav import PyavDecoder

    return PyavDecoder(source, kind)
