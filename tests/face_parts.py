"""A face, a voice and a network that are made up, for tests of the runtime: everything real but these.

A frame of speech is one level throughout, and its picture is of that level: so any tick tells whether its picture and
its sound belong together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from talkie.engines.base import FaceModelInfo
from talkie.pipeline.faces import FaceInfo, frames_of
from talkie.runtime.cancel import CancelToken
from talkie.runtime.face import FaceTick
from talkie.runtime.face_session import LiveFace
from talkie.runtime.face_track import Track
from talkie.runtime.speech import SpeakRequest
from talkie.types import SAMPLE_RATE_HZ, Mark, Picture, Samples, SpeechChunk

FPS = 25.0
RATE_HZ = 24_000
WAIT_S = 20.0
"""Longer than anything takes on the slowest machine; nothing is measured by it."""
FRAMES_A_WORD = 5
REST = 0
"""The level of a face at rest; a word's are 10, 20, … in turn."""


def until(done: Callable[[], bool]) -> None:
    """Wait for something that other threads do."""
    end_s = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < end_s, "it never came"
        time.sleep(0.002)


class Clock:
    """Stands still until it is moved. Moved from the end of a tick to the next, it is never late."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def level_of(samples: Samples) -> int:
    """The level in the middle of a stretch: its edges are rounded by resampling."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return round(float(np.median(middle)) * 200)


def picture(level: int) -> Picture:
    return np.full((4, 4, 3), level, np.uint8)


def shown(tick: FaceTick) -> int:
    return int(tick.image[0, 0, 0])


@dataclass
class LevelFace:
    """`lookahead` frames are held back. `gate` unset holds each picture of speech; `fails` is raised in its place."""

    lookahead: int = 0
    gate: threading.Event | None = None
    fails: Exception | None = None
    lines: list[LevelLine] = field(default_factory=list)
    closed: int = 0

    @property
    def info(self) -> FaceInfo:
        return FaceInfo("levels", "neural", 4, 4, FPS, self.lookahead / FPS, visemes=True)

    def open(self) -> LevelLine:
        self.lines.append(LevelLine(self))
        return self.lines[-1]

    def close(self) -> None:
        self.closed += 1


class LevelLine:
    def __init__(self, face: LevelFace) -> None:
        self._face = face
        self._sound = np.zeros(0, np.float32)
        self._given = 0
        self.marks: list[Mark] = []
        self.dropped = self.closed = 0
        self.idled = threading.Event()
        self.at_work = threading.Event()
        self._drop = threading.Event()

    def feed(self, samples: Samples, marks: Sequence[Mark] = ()) -> Iterator[Picture]:
        self._drop.clear()
        self._sound = np.concatenate([self._sound, samples])
        self.marks += marks
        yield from self._until(int(len(self._sound) / SAMPLE_RATE_HZ * FPS + 1e-6) - self._face.lookahead)

    def finish(self) -> Iterator[Picture]:
        yield from self._until(frames_of(len(self._sound) / SAMPLE_RATE_HZ, FPS))
        self._sound, self._given = self._sound[:0], 0

    def _until(self, frames: int) -> Iterator[Picture]:
        while self._given < frames:
            self.at_work.set()
            if self._face.gate is not None:
                until(lambda: self._face.gate is None or self._face.gate.is_set() or self._drop.is_set())
            if self._drop.is_set():
                return
            if self._face.fails is not None:
                raise self._face.fails
            length = round(SAMPLE_RATE_HZ / FPS)
            at, self._given = self._given, self._given + 1
            yield picture(level_of(self._sound[at * length : (at + 1) * length]))

    def drop(self) -> None:
        self._drop.set()
        self._sound, self._given = self._sound[:0], 0
        self.dropped += 1

    def idle(self) -> Picture:
        self.idled.set()
        return picture(REST)

    def close(self) -> None:
        self.closed += 1


@dataclass
class Voice:
    """Says a word in five frames. `gate` unset holds the speech before each word but the first `free`; `fails` is
    raised after all words."""

    gate: threading.Event | None = None
    free: int = 0
    fails: Exception | None = None
    requests: list[SpeakRequest] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)

    def speak(self, request: SpeakRequest, cancel: CancelToken, pieces: Iterable[str] | None) -> Iterator[SpeechChunk]:
        self.requests.append(request)
        return self._speak(request, cancel, pieces)

    def _speak(self, request: SpeakRequest, cancel: CancelToken, pieces: Iterable[str] | None) -> Iterator[SpeechChunk]:
        length = round(RATE_HZ / FPS) * FRAMES_A_WORD
        at = 0
        try:
            for text in pieces if pieces is not None else [request.text]:
                for word in text.split():
                    if self.gate is not None and at >= self.free:
                        until(lambda: cancel.cancelled or (self.gate is not None and self.gate.is_set()))
                    cancel.check()
                    start_s = at * FRAMES_A_WORD / FPS
                    end_s = start_s + FRAMES_A_WORD / FPS
                    marks = (Mark("word", word, start_s, end_s), Mark("viseme", "D", start_s, end_s))
                    level = np.float32((at % 9 + 1) / 20)
                    yield SpeechChunk(np.full(length, level, np.float32), RATE_HZ, marks, request.generation)
                    at += 1
            if self.fails is not None:
                raise self.fails
        finally:
            self.left.set()


class Viewer:
    """Takes ticks of a session, each when its time has come by a clock of its own."""

    def __init__(self, session: LiveFace, clock: Clock, face: LevelFace) -> None:
        self.session, self.clock, self.face = session, clock, face
        self.ticks: list[FaceTick] = []

    def look(self, ticks: int = 1) -> list[FaceTick]:
        """So many, each as soon as its picture is there, unless pictures are held."""
        for _ in range(ticks):
            until(self._ready)
            tick = self.session.next_tick(WAIT_S)
            assert tick is not None
            self.ticks.append(tick)
            self.clock.now_s += 1 / FPS + 1e-7
        return self.ticks[-ticks:]

    def _ready(self) -> bool:
        """The other threads have no clock but the real one."""
        gate, now = self.face.gate, self.session._subjects.now
        if not isinstance(now, Track):
            time.sleep(0.001)
            return True
        if not now.shown or (gate is not None and not gate.is_set()):
            time.sleep(0.002)
            return True
        return bool(now._pictures) or now.made or self.session.ended

    def look_until(self, done: Callable[[FaceTick], bool]) -> list[FaceTick]:
        """All up to the first that is so."""
        found = len(self.ticks)
        end_s = time.monotonic() + WAIT_S
        while not (self.ticks[found:] and done(self.ticks[-1])):
            assert time.monotonic() < end_s, "it never came"
            self.look()
        return self.ticks[found:]


@dataclass
class RecordingModel:
    """A network whose mouth is the level of the crop, plus the audio's first number. `batches` is what it was given;
    `gate` unset holds each batch, `fails` is raised for a batch with such a level."""

    max_batch: int = 16
    size: int = 8
    workers: int = 1
    device: str = "made-up"
    gate: threading.Event | None = None
    fails: dict[int, Exception] = field(default_factory=dict)
    batches: list[list[int]] = field(default_factory=list)
    sources: list[list[Hashable | None]] = field(default_factory=list)
    started: threading.Event = field(default_factory=threading.Event)
    closed: bool = False

    @property
    def info(self) -> FaceModelInfo:
        return FaceModelInfo("recording", "fake", self.size, self.max_batch, self.workers, self.device)

    def encode(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.zeros((len(windows), 512), np.float32)

    def infer(
        self,
        visual: NDArray[np.float32],
        audio: NDArray[np.float32],
        out: NDArray[np.float32] | None = None,
        sources: Sequence[Hashable | None] = (),
    ) -> NDArray[np.float32]:
        assert out is not None and len(out) == len(visual) == len(audio) <= self.max_batch
        levels = [round(float(one[0, 0, 0]) * 255) for one in visual]
        self.sources.append(list(sources))
        self.batches.append(levels)
        self.started.set()
        if self.gate is not None:
            assert self.gate.wait(WAIT_S)
        for level in levels:
            if level in self.fails:
                raise self.fails[level]
        out[:] = visual[:, :3] + audio[:, :1, :1, :1]
        return out

    def close(self) -> None:
        self.closed = True
