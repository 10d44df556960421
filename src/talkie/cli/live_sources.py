"""Where live sound comes from, besides a microphone: a recording at speaking pace or faster, and standard input.

Knows nothing of who hears it. A source gives small pieces and looks between them whether it is to stop.
"""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from talkie.audio.decode import AudioStream, RawFormat, open_audio
from talkie.cli.output import note
from talkie.cli.stop import Stop
from talkie.errors import EmptyAudio, InvalidValue
from talkie.types import SAMPLE_RATE_HZ
from talkie.wire.wav_stream import WavStream

PIECE_S = 0.1
PIECE_SAMPLES = int(PIECE_S * SAMPLE_RATE_HZ)
READ_BYTES = 32 * 1024
LOOK_S = 0.2
DECODED = RawFormat(SAMPLE_RATE_HZ, 1, "f32le")


class Source(Protocol):
    """Sound in pieces, as `raw` says, until it ends or `stop` is set."""

    @property
    def raw(self) -> RawFormat: ...

    def pieces(self, stop: Stop) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class Recording:
    """A file of any kind. `realtime`: each piece comes when a microphone would have had it."""

    raw = DECODED

    def __init__(self, path: Path, *, realtime: bool, raw: RawFormat | None = None) -> None:
        """Raises the errors of the decoder."""
        self._audio: AudioStream = open_audio(path, raw=raw)
        self._realtime = realtime

    def pieces(self, stop: Stop) -> Iterator[bytes]:
        began, sent = time.monotonic(), 0
        for block in self._audio.blocks():
            for at in range(0, len(block), PIECE_SAMPLES):
                piece = block[at : at + PIECE_SAMPLES]
                sent += len(piece)
                due_s = began + sent / SAMPLE_RATE_HZ - time.monotonic()
                if stop.wait(max(due_s, 0.0) if self._realtime else 0.0):
                    return
                yield piece.astype("<f4", copy=False).tobytes()
        for notice in self._audio.notices:
            note(notice.message)

    def close(self) -> None:
        self._audio.close()


class Piped:
    """Standard input: a WAV, or bare PCM as `raw` says (16 kHz and 16 bits where nobody does)."""

    def __init__(self, raw: RawFormat | None, stream: BinaryIO | None = None) -> None:
        """Waits for the first bytes where they may be a header. Raises `InvalidValue`, `UndecodableAudio`."""
        if stream is None:
            if sys.stdin is None or sys.stdin.isatty():
                raise InvalidValue(
                    "file", "Standard input is a terminal.", hint="Pipe sound in: arecord -f S16_LE -r 16000 | talkie …"
                )
            stream = sys.stdin.buffer
        self._stream = stream
        self._wav = WavStream() if raw is None else None
        self._first = b"" if raw else self._begin()
        self.raw = raw or (self._wav and self._wav.raw) or RawFormat(SAMPLE_RATE_HZ)

    def pieces(self, stop: Stop) -> Iterator[bytes]:
        if self._first:
            yield self._first
        while not stop.is_set():
            if not self._has_news():
                continue
            data = self._read()
            if not data:
                return
            sound = self._wav.feed(data) if self._wav else data
            if sound:
                yield sound

    def close(self) -> None:
        return

    def _begin(self) -> bytes:
        """What comes after the header, or the first bytes when there is none."""
        assert self._wav is not None
        while not self._wav.decided:
            data = self._read()
            if not data:
                rest = self._wav.finish()
                if not rest:
                    raise EmptyAudio
                return rest
            if sound := self._wav.feed(data):
                return sound
        return b""

    def _read(self) -> bytes:
        read1 = getattr(self._stream, "read1", self._stream.read)
        data: bytes = read1(READ_BYTES)
        return data

    def _has_news(self) -> bool:
        """So that a pipe in which nothing comes can be left."""
        try:
            return bool(select.select([self._stream], [], [], LOOK_S)[0])
        except (ValueError, OSError):  # no file of the system's: it never makes anybody wait
            return True
