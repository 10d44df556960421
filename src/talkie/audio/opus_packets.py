"""Sound at 48 kHz to bare Opus packets of 20 ms, each decodable as it comes: for players that are handed packets.

Knows nothing of containers; files are `encoder_av.py`'s.
"""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from talkie.types import Samples

RATE_HZ = 48_000
PACKET_SAMPLES = 960
BITRATE = 48_000


class OpusPackets:
    """One mono stream. What a decoder gives of a packet begins at the sample that stands beside it: the coder is a
    little late, so the first packets begin before the sound."""

    def __init__(self) -> None:
        codec = av.CodecContext.create("libopus", "w")
        assert isinstance(codec, AudioCodecContext)
        codec.sample_rate, codec.layout, codec.format = RATE_HZ, "mono", "flt"
        codec.bit_rate = BITRATE
        codec.options = {"application": "lowdelay", "frame_duration": "20"}
        codec.open()
        self._codec, self._rest, self._made = codec, np.zeros(0, np.float32), 0

    def feed(self, samples: Samples) -> list[tuple[int, bytes]]:
        """The packets that are whole now, each with its first sample, counted from the start of the stream."""
        sound = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        packets: list[tuple[int, bytes]] = []
        whole = len(sound) // PACKET_SAMPLES * PACKET_SAMPLES
        for at in range(0, whole, PACKET_SAMPLES):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound[None, at : at + PACKET_SAMPLES], np.float32), "flt", "mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, self._made, Fraction(1, RATE_HZ)
            self._made += PACKET_SAMPLES
            packets += [(packet.pts or 0, bytes(packet)) for packet in self._codec.encode(frame)]
        self._rest = sound[whole:].copy()
        return packets
