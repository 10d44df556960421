"""WAV, FLAC and AIFF the short way: libsndfile, block by block.

Knows nothing of other containers. About four times cheaper than FFmpeg for PCM: docs/decisions/0013.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.audio.downmix import DEFAULT_LAYOUTS, WAVE_ORDER, layout_weights, to_mono
from talkie.audio.endings import WAVE_EXTENSIBLE, WavHeader, falls_short, wav_header
from talkie.audio.formats import AudioInfo, Findings, Piece, check_shape
from talkie.audio.sniff import Kind
from talkie.audio.source import Source

BLOCK_VALUES = 1 << 18
"""Values (samples of all channels) a block: 1 MB, 16 seconds of mono 16 kHz, 0.2 of eight channels at 192 kHz."""
UNKNOWN_FRAMES = 1 << 62
PLAIN_WAV = frozenset((1, 2, 3, 6, 7, 0x11, 0x31, WAVE_EXTENSIBLE))
"""Format tags: PCM, MS ADPCM, float, A-law, mu-law, IMA ADPCM, GSM. Others, MP3 among them, are better with FFmpeg."""


class NotPlain(Exception):
    """libsndfile does not read this one; FFmpeg may."""


class PlainDecoder:
    """Raises `NotPlain` where libsndfile refuses the file, `UndecodableAudio` for rates or channels out of range."""

    def __init__(self, source: Source, container: str) -> None:
        import soundfile

        self._errors = soundfile.LibsndfileError
        descriptor = source.rewound_descriptor()
        header = wav_header(source) if container == "wav" else None
        if container == "wav" and (header is None or header.codec not in PLAIN_WAV):
            raise NotPlain
        source.file.seek(0)
        opened = source.reader(raises=False) if descriptor is None else descriptor
        try:
            self._file: Any = soundfile.SoundFile(opened, closefd=False)
        except (self._errors, TypeError, ValueError, OSError) as error:
            raise NotPlain from error
        self._source = source
        try:
            self._prepare(container, header)
        except BaseException:
            self.close()
            raise

    def _prepare(self, container: str, header: WavHeader | None) -> None:
        file = self._file
        if header is not None and header.data_bytes is None and header.held_bytes and not file.frames:
            raise NotPlain  # written as a stream, length 0
        check_shape(file.samplerate, file.channels)
        self._weights = _weights(file.channels, header.mask if header else None)
        duration_s = file.frames / file.samplerate if 0 < file.frames < UNKNOWN_FRAMES else None
        self.info = AudioInfo(container, file.subtype.lower(), file.samplerate, file.channels, duration_s)
        expected_s = header.expected_s if header else duration_s
        self.findings = Findings(expected_s=expected_s)

    def pieces(self) -> Iterator[Piece]:
        rate, held, broken = self.info.sample_rate, 0, False
        for block in self._blocks():
            if block is None:
                broken = True
                break
            held += len(block)
            yield Piece(to_mono(block, self._weights), rate)
        expected_s = self.findings.expected_s
        if self.info.container == "flac" and (broken or falls_short(held / rate, expected_s)):
            yield from self._rest(held)
        else:
            self.findings.truncated = broken or falls_short(held / rate, expected_s)

    def _blocks(self) -> Iterator[NDArray[np.float32] | None]:
        """Blocks of shape `(n, channels)`; None and no more where libsndfile gives up."""
        frames = BLOCK_VALUES // self.info.channels
        while True:
            try:
                block = self._file.read(frames, dtype="float32", always_2d=True)
            except self._errors:
                yield None
                return
            if not len(block):
                return
            yield block

    def _rest(self, held: int) -> Iterator[Piece]:
        """What follows damage in a FLAC: libsndfile stops there (and drops the block before it), FFmpeg goes on."""
        from talkie.audio.pyav import PyavDecoder

        decoder = PyavDecoder(self._source, Kind("flac"))
        try:
            for piece in decoder.pieces():
                fresh = piece.samples[held:]
                held = max(0, held - len(piece.samples))
                if len(fresh):
                    yield Piece(fresh, piece.sample_rate)
        finally:
            self.findings = decoder.findings
            decoder.close()

    def surely_longer_than(self, seconds: float) -> bool:
        """libsndfile counts PCM by the bytes that are there; of FLAC it repeats what the header claims."""
        known = self.info.duration_s
        return known is not None and self.info.container != "flac" and known > seconds

    def close(self) -> None:
        self._file.close()


def _weights(channels: int, mask: int | None) -> NDArray[np.float32]:
    names = DEFAULT_LAYOUTS[channels]
    if mask is not None:
        marked = [WAVE_ORDER[bit] if bit < len(WAVE_ORDER) else "" for bit in range(32) if mask >> bit & 1]
        names = tuple(marked) if len(marked) == channels else ("",) * channels
    return layout_weights(names)
