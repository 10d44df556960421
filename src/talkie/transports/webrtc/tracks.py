"""A face's sound and picture as WebRTC wants them: two tracks that are fed from the ticks of one clock.

Both count their time from the tick's index, so what belongs together carries the same time; and both leave when their
tick comes, since a browser reckons lip-sync by when things were sent. A picture that nobody took in time is passed
over, and never shown late.
"""

from __future__ import annotations

import asyncio
import fractions
from collections import deque
from dataclasses import dataclass

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

from talkie.runtime.face import LIVE_RATE_HZ, FaceTick
from talkie.transports.webrtc.one_clock import OneClock
from talkie.types import Samples

PIECE = 960
"""Samples of one packet: 20 ms, as Opus and every browser like it."""
EARLY_S = 1.0
PICTURES, PIECES = 2, 25
"""How many may wait to be sent."""
VIDEO_HZ = 90_000
SOUND_BASE, VIDEO_BASE = fractions.Fraction(1, LIVE_RATE_HZ), fractions.Fraction(1, VIDEO_HZ)


class _Fed(MediaStreamTrack):
    """A track that waits until something was put into it. `at_s`: the time of the frame that left last."""

    def __init__(self, clock: OneClock) -> None:
        super().__init__()
        self.clock, self.at_s = clock, 0.0
        self._news = asyncio.Event()

    def stop(self) -> None:
        super().stop()
        self._news.set()

    async def _until_news(self) -> None:
        """Raises `MediaStreamError` when the track is over."""
        await self._news.wait()
        self._news.clear()
        if self.readyState != "live":
            raise MediaStreamError


class PictureTrack(_Fed):
    kind = "video"

    def __init__(self, fps: float, clock: OneClock) -> None:
        super().__init__(clock)
        self._fps = fps
        self._queue: deque[FaceTick] = deque(maxlen=PICTURES)

    def put(self, tick: FaceTick) -> None:
        self.clock.begin(tick.index / self._fps)
        self._queue.append(tick)
        self._news.set()

    async def recv(self) -> VideoFrame:
        while not self._queue:
            await self._until_news()
        tick = self._queue.popleft()
        height, width = (side & ~1 for side in tick.image.shape[:2])
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(tick.image[:height, :width]), format="bgr24")
        self.at_s = tick.index / self._fps
        frame.pts, frame.time_base = round(self.at_s * VIDEO_HZ), VIDEO_BASE
        return frame


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    samples: Samples
    at: int
    due_s: float


class SoundTrack(_Fed):
    """A tick's sound is cut into packets, each sent when its own time has come.

    The silence of the first second is left out: a browser plays nothing before it has a picture, keeps what comes until
    then, and would be late by as much for a long time.
    """

    kind = "audio"

    def __init__(self, clock: OneClock) -> None:
        super().__init__(clock)
        self._queue: deque[_Piece] = deque(maxlen=PIECES)
        self._rest = np.zeros(0, np.float32)
        self._at = 0
        self._silent_until: int | None = None

    def put(self, tick: FaceTick) -> None:
        """`_at` is the sample that the next packet begins with. Where ticks are missing, time goes on and sound does
        not."""
        if self._is_early(tick):
            return
        now_s = asyncio.get_running_loop().time()
        begins = tick.index * len(tick.samples)
        if begins != self._at + len(self._rest):
            self._at, self._rest = begins, self._rest[:0]
        ahead_s = (begins - self._at) / LIVE_RATE_HZ
        sound = np.concatenate((self._rest, tick.samples))
        whole = len(sound) // PIECE * PIECE
        for begin in range(0, whole, PIECE):
            due_s = now_s - ahead_s + begin / LIVE_RATE_HZ
            self._queue.append(_Piece(sound[begin : begin + PIECE], self._at + begin, due_s))
        self._rest, self._at = sound[whole:], self._at + whole
        self._news.set()

    def _is_early(self, tick: FaceTick) -> bool:
        begins = tick.index * len(tick.samples)
        if self._silent_until is None:
            self._silent_until = begins + round(EARLY_S * LIVE_RATE_HZ)
        if np.any(tick.samples):
            self._silent_until = begins
        return begins < self._silent_until

    async def recv(self) -> AudioFrame:
        while not self._queue:
            await self._until_news()
        piece = self._queue.popleft()
        await asyncio.sleep(piece.due_s - asyncio.get_running_loop().time())
        pcm = (np.clip(piece.samples, -1.0, 1.0) * 32767).astype(np.int16)
        frame = AudioFrame.from_ndarray(pcm[None, :], format="s16", layout="mono")
        frame.pts, frame.sample_rate, frame.time_base = piece.at, LIVE_RATE_HZ, SOUND_BASE
        self.at_s = piece.at / LIVE_RATE_HZ
        return frame
