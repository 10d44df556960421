"""The first frame of an MP3 stream: it tells a decoder how much of the beginning is the encoder's own silence.

An encoder puts 1105 samples before the speech, at 24 kHz a twentieth of a second, which a decoder leaves out when it
is told. What tells it is LAME's extension of the Xing header in a silent frame ("Info", for a constant bit rate).
Fields that are known at the end only (frames, bytes, padding) are left out: a stream cannot be patched.
"""

from __future__ import annotations

import struct

RATES_HZ = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Those of MPEG 1 and 2. There is a version 2.5 with lower ones, whose last frame alone may be 72 ms of nothing."""
_VERSIONS = ((0b11, (44_100, 48_000, 32_000)), (0b10, (22_050, 24_000, 16_000)))
"""The two bits of each version, and its rates in the order of their index."""
_KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
ENCODER_DELAY = 576
"""LAME's own; a decoder adds the 529 of the filter bank that every MP3 has."""


def info_frame(sample_rate: int, kbits: int) -> bytes:
    """A silent mono frame with the header. Raises `ValueError` for what MP3 cannot be."""
    version, rate_index = _place(sample_rate)
    first = version == 0b11
    table = _KBITS_1 if first else _KBITS_2
    frame_bytes = (144 if first else 72) * kbits * 1000 // sample_rate
    header = bytes((0xFF, 0xE0 | version << 3 | 0b01 << 1 | 1, table.index(kbits) << 4 | rate_index << 2, 0b11 << 6))
    side_info = bytes(17 if first else 9)
    frame = header + side_info + b"Info" + struct.pack(">I", 0) + b"LAME" + bytes(17)
    frame += (ENCODER_DELAY << 12).to_bytes(3, "big")
    if len(frame) > frame_bytes:
        raise ValueError("the bit rate leaves no room for a header")
    return frame.ljust(frame_bytes, b"\0")


def nearest_rate(sample_rate: int) -> int:
    """The rate itself, or the next above that MP3 knows."""
    return next((rate for rate in RATES_HZ if rate >= sample_rate), RATES_HZ[-1])


def _place(sample_rate: int) -> tuple[int, int]:
    for version, rates in _VERSIONS:
        if sample_rate in rates:
            return version, rates.index(sample_rate)
    raise ValueError(f"MP3 knows no rate of {sample_rate} Hz")
