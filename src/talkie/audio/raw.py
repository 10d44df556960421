"""Headerless PCM with parameters, to mono pieces.

Knows nothing of containers. Companding tables are those of ITU-T G.711, written out as its formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from talkie.audio.downmix import DEFAULT_LAYOUTS, layout_weights, to_mono
from talkie.audio.formats import AudioInfo, Findings, Piece, RawFormat
from talkie.audio.source import Source

BLOCK_BYTES = 1 << 20


class RawDecoder:
    """Reads whole frames; what is left of a last, incomplete one counts as truncation."""

    def __init__(self, source: Source, raw: RawFormat) -> None:
        self._source, self._raw = source, raw
        source.start = 0
        self._frames = source.size // raw.frame_bytes
        self._duration_s = self._frames / raw.sample_rate
        self.info = AudioInfo("raw", raw.encoding, raw.sample_rate, raw.channels, self._duration_s)
        self.findings = Findings(truncated=self._frames > 0 and source.size % raw.frame_bytes > 0)

    def pieces(self) -> Iterator[Piece]:
        raw = self._raw
        weights = layout_weights(DEFAULT_LAYOUTS[raw.channels])
        step = BLOCK_BYTES // raw.frame_bytes * raw.frame_bytes
        for place in range(0, self._frames * raw.frame_bytes, step):
            data = self._source.peek(place, min(step, self._frames * raw.frame_bytes - place))
            samples = decode_samples(raw.encoding, data[: len(data) // raw.frame_bytes * raw.frame_bytes])
            yield Piece(to_mono(samples.reshape(-1, raw.channels), weights), raw.sample_rate)

    def surely_longer_than(self, seconds: float) -> bool:
        return self._duration_s > seconds

    def close(self) -> None:
        """Nothing of its own is open."""


def decode_samples(encoding: str, data: bytes) -> NDArray[np.float32]:
    """Whole samples in one of `RAW_SAMPLE_BYTES`, channels interleaved as they come; shape `(n,)`, nominal -1..1."""
    return _DECODERS[encoding](data)


def _integers(dtype: str, scale: float) -> Callable[[bytes], NDArray[np.float32]]:
    return lambda data: np.frombuffer(data, dtype).astype(np.float32) / np.float32(scale)


def _unsigned(data: bytes) -> NDArray[np.float32]:
    return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / np.float32(128)


def _three_bytes(data: bytes) -> NDArray[np.float32]:
    """24 bits as the upper part of 32, so that the sign comes along."""
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return wide.reshape(-1).view("<i4").astype(np.float32) / np.float32(2**31)


def _floats(dtype: str) -> Callable[[bytes], NDArray[np.float32]]:
    def decode(data: bytes) -> NDArray[np.float32]:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.frombuffer(data, dtype).astype(np.float32)

    return decode


def _companded(table: NDArray[np.float32]) -> Callable[[bytes], NDArray[np.float32]]:
    return lambda data: table[np.frombuffer(data, np.uint8)]


def _mulaw_table() -> NDArray[np.float32]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 132 << ((code >> 4) & 7)) - 132
    return (np.where(code & 0x80, -magnitude, magnitude) / 32768).astype(np.float32)


def _alaw_table() -> NDArray[np.float32]:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, ((code & 0x0F) << 4) + 8
    magnitude = np.where(exponent > 0, mantissa + 256 << np.maximum(exponent - 1, 0), mantissa)
    return (np.where(code & 0x80, magnitude, -magnitude) / 32768).astype(np.float32)


_DECODERS: dict[str, Callable[[bytes], NDArray[np.float32]]] = {
    "s16le": _integers("<i2", 2**15),
    "s24le": _three_bytes,
    "s32le": _integers("<i4", 2**31),
    "u8": _unsigned,
    "f32le": _floats("<f4"),
    "f64le": _floats("<f8"),
    "mulaw": _companded(_mulaw_table()),
    "alaw": _companded(_alaw_table()),
}
