"""Ticks of a live face to encoded packets, picture and sound on one clock. One thread uses it.

Knows nothing of sockets, and nothing of what is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from talkie.audio.encode import to_pcm16
from talkie.runtime.face import LIVE_RATE_HZ
from talkie.wire.face_protocol import AUDIO, VIDEO, AudioCodec, Packet, VideoCodec

if TYPE_CHECKING:
    from talkie.audio.opus_packets import OpusPackets
    from talkie.pipeline.faces import FaceInfo
    from talkie.runtime.face import FaceTick

MICRO = 1_000_000
OPUS_US = 20_000


class FacePackets:
    """`video` is what WebCodecs calls the coding of the pictures, `width` and `height` are theirs: even, as codecs
    want them. Raises `VideoFailed`."""

    def __init__(self, info: FaceInfo, video: VideoCodec, audio: AudioCodec) -> None:
        from talkie.video.encode import VideoEncoder  # FFmpeg: 100 ms of imports

        self._encoder = VideoEncoder(info.width, info.height, info.fps, video, realtime=True)
        self._opus = _opus() if audio == "opus" else None
        self._fps, self._began_us = info.fps, -1
        self.video, self.audio = self._encoder.codec_string, audio
        self.width, self.height = self._encoder.width, self._encoder.height

    def force_key(self) -> None:
        """The next picture needs no other."""
        self._encoder.force_key()

    def of(self, tick: FaceTick) -> list[Packet]:
        """Its sound, then its picture."""
        return [*self._sound(tick), *self._picture(tick)]

    def close(self) -> None:
        self._encoder.close()

    def _picture(self, tick: FaceTick) -> list[Packet]:
        at_us, length_us = round(tick.at_s * MICRO), round(MICRO / self._fps)
        return [
            Packet(VIDEO, tick.generation, tick.index, at_us, length_us, unit.data, unit.key, tick.started)
            for unit in self._encoder.encode(tick.image)
        ]

    def _sound(self, tick: FaceTick) -> list[Packet]:
        at_us = round(tick.at_s * MICRO)
        if self._opus is None:
            length_us = len(tick.samples) * MICRO // LIVE_RATE_HZ
            data = to_pcm16(tick.samples).tobytes()
            return [Packet(AUDIO, tick.generation, tick.index, at_us, length_us, data, first=tick.started)]
        if self._began_us < 0:
            self._began_us = at_us
        return [
            Packet(
                AUDIO,
                tick.generation,
                tick.index,
                self._began_us + start * MICRO // LIVE_RATE_HZ,
                OPUS_US,
                data,
                first=tick.started and not number,
            )
            for number, (start, data) in enumerate(self._opus.feed(tick.samples))
        ]


def _opus() -> OpusPackets:
    from talkie.audio.opus_packets import OpusPackets

    return OpusPackets()
