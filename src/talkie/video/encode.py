"""Pictures to access units: FFmpeg's encoders, through PyAV, one picture at a time.

Knows nothing of containers, sockets or sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from talkie.errors import VideoFailed
from talkie.types import Picture
from talkie.video.codecs import (
    LIMITED,
    RECIPES,
    VideoCodec,
    VideoPlan,
    avc_config,
    codec_string,
    configure,
)

TICKS_HZ = 90_000
KEY_PICTURE = 1
"""FFmpeg's picture type I."""
FULL_RANGE = 2


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture. `pts` is when it is shown and `dts` when it is decoded, in ticks of `TICKS_HZ`; H.264 is in
    Annex B form, with its header before each key picture."""

    data: bytes
    pts: int
    dts: int
    key: bool
    duration_s: float

    @property
    def pts_s(self) -> float:
        return self.pts / TICKS_HZ


class Planes:
    """Pictures as an encoder takes them: even sides, 4:2:0, its colours. Each is read once; none is kept."""

    def __init__(self, plan: VideoPlan) -> None:
        self._shape = plan.height, plan.width, 3
        self._odd = plan.height % 2, plan.width % 2
        self._matrix = RECIPES[plan.codec].matrix
        self._reformatter = VideoReformatter()

    def of(self, picture: Picture) -> Any:
        """A frame of FFmpeg. Raises `VideoFailed` for a picture of another size."""
        if picture.shape != self._shape:
            raise VideoFailed("its pictures are not all of one size.")
        if any(self._odd):
            picture = np.pad(picture, ((0, self._odd[0]), (0, self._odd[1]), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(picture), "bgr24")
        return self._reformatter.reformat(
            frame,
            format="yuv420p",
            dst_colorspace=self._matrix,
            src_color_range=FULL_RANGE,
            dst_color_range=LIMITED,
        )


class VideoEncoder:
    """A stream of pictures of one size. `realtime`: every picture comes out at once, and there is a key a second.

    Not for several threads at a time. Raises `VideoFailed`.
    """

    def __init__(
        self, width: int, height: int, fps: float = 25.0, codec: VideoCodec = "h264", realtime: bool = True
    ) -> None:
        self.plan = VideoPlan(width, height, fps, codec, realtime)
        self.width, self.height = self.plan.coded
        self._planes = Planes(self.plan)
        self._context = _opened(self.plan)
        self.header = bytes(self._context.extradata or b"") if codec == "h264" else b""
        self.codec_string = codec_string(self.plan, self.header)
        self._next, self._key = 0, False

    @property
    def avcc(self) -> bytes:
        """H.264 only: the header as MP4 and WebCodecs' `description` hold it."""
        return avc_config(self.header)

    def encode(self, picture: Picture, index: int | None = None) -> list[AccessUnit]:
        """Units that are whole by now. `index` is the number of the frame where some are left out; it only grows."""
        self._check_open()
        index = self._next if index is None else index
        if index < self._next:
            raise ValueError("frames come in order")
        frame = self._planes.of(picture)
        frame.pts, frame.time_base = index, self._context.time_base
        frame.pict_type = KEY_PICTURE if self._key else 0
        self._next, self._key = index + 1, False
        return self._encoded(frame)

    def force_key(self) -> None:
        """The next picture can be shown without those before it."""
        self._key = True

    def flush(self) -> list[AccessUnit]:
        """What was kept back; the encoder is of no more use."""
        self._check_open()
        return self._encoded(None)

    def close(self) -> None:
        """Its memory is given back with it; harmless a second time."""
        self._context = None

    def _check_open(self) -> None:
        if self._context is None:
            raise VideoFailed("the encoder is closed.")

    def _encoded(self, frame: Any) -> list[AccessUnit]:
        try:
            return [self._unit(packet) for packet in self._context.encode(frame)]
        except av.FFmpegError as error:
            raise VideoFailed(f"{error.strerror}.") from error

    def _unit(self, packet: Any) -> AccessUnit:
        key = bool(packet.is_keyframe)
        data = self.header + bytes(packet) if key else bytes(packet)
        return AccessUnit(data, self._ticks(packet.pts), self._ticks(packet.dts), key, float(1 / self.plan.rate))

    def _ticks(self, frames: int) -> int:
        return round(frames * TICKS_HZ / self.plan.rate)


def _opened(plan: VideoPlan) -> Any:
    try:
        context: Any = av.CodecContext.create(RECIPES[plan.codec].encoder, "w")
        configure(context, plan)
        context.open()
    except (av.FFmpegError, ValueError, LookupError) as error:
        raise VideoFailed(f"no encoder for {plan.codec} opens here.", hint="`talkie doctor` checks PyAV.") from error
    return context
