"""Bare Opus packets, given to a decoder that knows nothing but them."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest

from talkie.audio.opus_packets import PACKET_SAMPLES, RATE_HZ, OpusPackets


@pytest.mark.parametrize("piece", [1920, 700, 2000])
def test_sound_comes_out_where_the_packets_say(piece: int) -> None:
    sound = np.zeros(RATE_HZ // 2, np.float32)
    sound[9600:14400] = np.sin(np.arange(4800) * 0.05) / 2
    coder = OpusPackets()
    packets = [packet for at in range(0, len(sound), piece) for packet in coder.feed(sound[at : at + piece])]
    decoder: Any = av.CodecContext.create("opus", "r")
    decoder.sample_rate, decoder.layout = RATE_HZ, "mono"
    decoded = [frame.to_ndarray()[0] for _, data in packets for frame in decoder.decode(av.Packet(data))]
    assert len(packets) == len(sound) // PACKET_SAMPLES and {len(block) for block in decoded} == {PACKET_SAMPLES}
    first = packets[0][0]
    assert first < 0 and [start for start, _ in packets] == [first + PACKET_SAMPLES * n for n in range(len(packets))]
    heard = np.concatenate(decoded)[-first:]
    length = min(len(heard), len(sound))
    shifts = [float(np.dot(heard[5000 + n : length - 5000 + n], sound[5000 : length - 5000])) for n in range(-60, 61)]
    assert abs(int(np.argmax(shifts)) - 60) <= 2  # to 40 microseconds
