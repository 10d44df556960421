"""A service whose face is black and silent, but for flashes: a white picture and a tone that begin at one instant."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fakes_face import FPS, RATE_HZ, FakeFaceSession, grey
from fakes_service import FakeService
from talkie.pipeline.faces import FaceInfo
from talkie.runtime.cancel import CancelToken
from talkie.runtime.face import LIVE_RATE_HZ, FaceRequest, FaceTick
from talkie.runtime.speech import SpeakRequest
from talkie.types import FaceChunk, Mark, Samples, VideoFrame

EVERY, LONG = 11, 4
"""Frames from flash to flash (0.44 s), and of one."""
FIRST = 10
SIDE = 128


def is_lit(frame: int) -> bool:
    return frame >= FIRST and (frame - FIRST) % EVERY < LONG


def sound_of(frame: int, rate_hz: int) -> Samples:
    """The sound beside a frame: as loud from its first sample as to its last."""
    at = np.arange(round(rate_hz / FPS)) / rate_hz
    return (np.sin(at * 1000 * 2 * np.pi) * 0.8 * is_lit(frame)).astype(np.float32)


class FlashService(FakeService):
    """A text is a flash for each of its words."""

    def _chunks(
        self, seconds: float, marks: tuple[Mark, ...], request: FaceRequest, cancel: CancelToken
    ) -> Iterator[FaceChunk]:
        for at in range(0, FIRST + EVERY * len(marks), 5):
            numbers = range(at, at + 5)
            frames = tuple(VideoFrame(grey(is_lit(n), SIDE, SIDE), n, request.generation) for n in numbers)
            sound = np.concatenate([sound_of(n, RATE_HZ) for n in numbers])
            yield FaceChunk(sound, RATE_HZ, frames, at / FPS, FPS, (), request.generation)

    def face(self, spoken: SpeakRequest, request: FaceRequest, **more: object) -> FakeFaceSession:  # type: ignore[override]
        began = super().face(spoken, request, **more)  # type: ignore[arg-type]
        self.faces[-1] = FlashSession(began.id, float(more.get("ahead_s", 0.0)))  # type: ignore[arg-type]
        return self.faces[-1]


class FlashSession(FakeFaceSession):
    def __init__(self, session_id: str, ahead_s: float) -> None:
        super().__init__(session_id, ahead_s)
        self.info = FaceInfo("talkie", "drawn", SIDE, SIDE, FPS)

    def _tick(self) -> FaceTick:
        index, self._index = self._index, self._index + 1
        if not self._words:
            return FaceTick(grey(0, SIDE, SIDE), np.zeros(LIVE_RATE_HZ // 25, np.float32), index / FPS, index)
        at, self._at = self._at, self._at + 1
        ended = self._at == FIRST + EVERY * len(self._words)
        if ended:
            self._words = []
        picture, sound = grey(is_lit(at), SIDE, SIDE), sound_of(at, LIVE_RATE_HZ)
        return FaceTick(picture, sound, index / FPS, index, self._generation, at == 0, ended)
