"""Does a file end where its container says that it should? How a recording that was cut off is known.

Knows nothing of samples: headers only. A length that the writer did not know (0 or all ones, as programs write that
stream a WAV) says nothing, and neither does an estimate from a bit rate.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from talkie.audio.source import Source

MAX_CHUNKS = 256
WAVE_EXTENSIBLE = 0xFFFE
OGG_TAIL_BYTES = 1 << 17
TOLERANCE_S, TOLERANCE_SHARE = 1.0, 0.02


@dataclass(frozen=True, slots=True)
class WavHeader:
    """From the `fmt ` and `data` chunks. `codec` is the format tag, `mask` 0 is no layout.

    `data_bytes` is None where the writer did not know.
    """

    codec: int
    byte_rate: int
    data_bytes: int | None
    held_bytes: int
    mask: int | None = None

    @property
    def expected_s(self) -> float | None:
        """How long it should be, when it should be longer than it is."""
        if self.data_bytes is None or self.data_bytes <= self.held_bytes or not self.byte_rate:
            return None
        return self.data_bytes / self.byte_rate


def wav_header(source: Source) -> WavHeader | None:
    """RIFF, RIFX, RF64 or BW64; None where no `data` chunk follows a `fmt ` chunk."""
    order = ">" if source.peek(0, 4) == b"RIFX" else "<"
    offset, fmt, long_data = 12, b"", None
    for _ in range(MAX_CHUNKS):
        head = source.peek(offset, 8)
        if len(head) < 8:
            return None
        name, size = head[:4], struct.unpack(order + "I", head[4:])[0]
        if name == b"data":
            return _wav_header(fmt, order, _known(size, long_data), source.size - offset - 8)
        if name == b"fmt ":
            fmt = source.peek(offset + 8, min(size, 40))
        elif name == b"ds64":
            long_data = int.from_bytes(source.peek(offset + 16, 8), "little")
        offset += 8 + size + size % 2
    return None


def _known(size: int, long_data: int | None) -> int | None:
    if long_data is not None:
        return long_data if 0 < long_data < 1 << 62 else None
    unknown = size == 0 or size >= 0xFFFFF000 or 0x7FFFF000 <= size <= 0x80000000
    return None if unknown else size


def _wav_header(fmt: bytes, order: str, data_bytes: int | None, held: int) -> WavHeader | None:
    if len(fmt) < 16:
        return None
    codec, byte_rate = struct.unpack(order + "H6xI", fmt[:12])
    extensible = codec == WAVE_EXTENSIBLE and len(fmt) >= 24
    mask = struct.unpack(order + "I", fmt[20:24])[0] if extensible else None
    return WavHeader(codec, byte_rate, data_bytes, held, mask)


def ogg_is_cut(source: Source) -> bool:
    """True when the last page says that it is longer than the file (RFC 3533, section 6)."""
    tail = source.peek(-min(OGG_TAIL_BYTES, source.size), OGG_TAIL_BYTES)
    place = tail.rfind(b"OggS")
    if place < 0:
        return False
    segments = tail[place + 26 : place + 27]
    if not segments:
        return True
    table = tail[place + 27 : place + 27 + segments[0]]
    return len(table) < segments[0] or place + 27 + len(table) + sum(table) > len(tail)


def mp4_has_index(source: Source) -> bool:
    """Is there a `moov` box (ISO 14496-12)? It is written last: a recording that was cut off has none."""
    offset = 0
    for _ in range(MAX_CHUNKS):
        head = source.peek(offset, 16)
        if len(head) < 8:
            return False
        size, name = int.from_bytes(head[:4]), head[4:8]
        if name == b"moov":
            return True
        size = int.from_bytes(head[8:16]) if size == 1 else size
        if size < 8:
            return False
        offset += size
    return False


def mp3_counts_frames(head: bytes) -> bool:
    """True where a Xing or Info frame gives the true length; without one a duration is a guess."""
    return b"Xing" in head or b"Info" in head


def falls_short(held_s: float, expected_s: float | None) -> bool:
    """Is what was decoded shorter than what was promised, by more than encoders' rounding?"""
    return expected_s is not None and held_s < expected_s - max(TOLERANCE_S, TOLERANCE_SHARE * expected_s)
