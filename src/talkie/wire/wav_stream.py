"""A stream of bytes that may begin with a WAV header: its format, and the sound without header and trailer.

Pure; pieces may end anywhere. Knows nothing of sockets, and does not convert: what it passes on is raw PCM.
"""

from __future__ import annotations

import struct

from talkie.audio.formats import RawFormat
from talkie.errors import UndecodableAudio

MAX_HEAD_BYTES = 256 * 1024
"""Room for a picture or a long comment in front of the sound; no more is held."""
RIFF_BYTES, CHUNK_BYTES, FMT_BYTES = 12, 8, 16
PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
ENCODINGS = {
    (PCM, 8): "u8",
    (PCM, 16): "s16le",
    (PCM, 24): "s24le",
    (PCM, 32): "s32le",
    (FLOAT, 32): "f32le",
    (FLOAT, 64): "f64le",
    (A_LAW, 8): "alaw",
    (MU_LAW, 8): "mulaw",
}
UNKNOWN_SIZES = frozenset({0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0xFFFFFFFF - 36})
"""What writers put there that do not know how long the recording will be."""


class WavStream:
    """Feed it all bytes in order. `raw` is the header's format once `decided`, None when there is no header."""

    def __init__(self) -> None:
        self.raw: RawFormat | None = None
        self.decided = False
        self._head = b""
        self._left: int | None = None

    @property
    def ended(self) -> bool:
        """All the sound that the header promised has come; what follows is none."""
        return self._left == 0

    def feed(self, data: bytes) -> bytes:
        """The sound that is ready. Raises `UndecodableAudio` and `BadRawParameters` for a header that cannot be."""
        if not self.decided:
            self._head += data
            data = self._decide()
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        return data

    def finish(self) -> bytes:
        """Nothing more comes: too little to be a header is sound."""
        head, self._head, self.decided = self._head, b"", True
        return b"" if head.startswith(b"RIFF") else head

    def _decide(self) -> bytes:
        """What follows the header, or all there is when it is none; nothing while that is open."""
        head = self._head
        if head[:4] != b"RIFF"[: len(head)] or (len(head) >= RIFF_BYTES and head[8:12] != b"WAVE"):
            self.decided, self._head = True, b""
            return head
        at = RIFF_BYTES
        while len(head) >= at + CHUNK_BYTES:
            name, size = struct.unpack_from("<4sI", head, at)
            at += CHUNK_BYTES
            if name == b"data":
                return self._begin(head[at:], size)
            if name == b"fmt " and len(head) >= at + min(size, MAX_HEAD_BYTES):
                self.raw = _format(head[at : at + size])
            at += size + size % 2
        if len(head) > MAX_HEAD_BYTES:
            raise UndecodableAudio("its WAV header does not end.")
        return b""

    def _begin(self, sound: bytes, size: int) -> bytes:
        if self.raw is None:
            raise UndecodableAudio("its WAV header does not say the format.")
        self._left = None if size in UNKNOWN_SIZES else size
        self.decided, self._head = True, b""
        return sound


def _format(chunk: bytes) -> RawFormat:
    if len(chunk) < FMT_BYTES:
        raise UndecodableAudio("its WAV header is damaged.")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    encoding = ENCODINGS.get((tag, bits))
    if encoding is None:
        raise UndecodableAudio(f"a WAV with the codec {tag} and {bits} bits cannot be heard while it comes.")
    return RawFormat(rate, channels, encoding)
