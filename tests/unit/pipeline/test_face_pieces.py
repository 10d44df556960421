"""Sound and frames on one clock, with a face that says which sound it heard."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkie.errors import Cancelled, EmptyAudio
from talkie.pipeline.animate import FEED_S, animate
from talkie.pipeline.face_pieces import LONGEST_S
from talkie.pipeline.faces import FaceInfo, FaceLine, frames_of
from talkie.runtime.cancel import CancelToken
from talkie.types import FaceChunk, Mark, Picture, Samples, SpeechChunk

RATE_HZ = 16_000


class LoudFace:
    """Frame i is as bright as the loudest sample of its own 1/fps; it needs `lookahead_s` more than that."""

    def __init__(self, fps: float = 25.0, lookahead_s: float = 0.3) -> None:
        self.info = FaceInfo("loud", "drawn", 4, 4, fps, lookahead_s)
        self.lines: list[LoudLine] = []

    def open(self) -> LoudLine:
        self.lines.append(LoudLine(self.info))
        return self.lines[-1]

    def close(self) -> None: ...


class LoudLine:
    def __init__(self, info: FaceInfo) -> None:
        self._info = info
        self._sound = np.zeros(0, np.float32)
        self._given = 0
        self._forgotten = 0
        self.marks: list[Mark] = []
        self.longest = 0
        self.dropped = self.closed = False

    def feed(self, samples: Samples, marks: Sequence[Mark] = ()) -> Iterator[Picture]:
        self.longest = max(self.longest, len(samples))
        self._sound = np.concatenate([self._sound, samples])
        self.marks += marks
        heard = self._forgotten + len(self._sound)
        yield from self._until(int((heard / RATE_HZ - self._info.lookahead_s) * self._info.fps))

    def finish(self) -> Iterator[Picture]:
        yield from self._until(frames_of((self._forgotten + len(self._sound)) / RATE_HZ, self._info.fps))

    def _until(self, frames: int) -> Iterator[Picture]:
        while self._given < frames:
            self._given += 1
            end = round(self._given / self._info.fps * RATE_HZ) - self._forgotten
            own, self._sound = self._sound[:end], self._sound[end:]
            self._forgotten += len(own)
            yield np.full((4, 4, 3), int(255 * min(1, np.abs(own).max(initial=0))), np.uint8)

    def drop(self) -> None:
        self.dropped = True

    def idle(self) -> Picture:
        return np.zeros((4, 4, 3), np.uint8)

    def close(self) -> None:
        self.closed = True


def clicks(rate: int, seconds: float, times_s: Sequence[float]) -> Samples:
    """Bursts of half a frame, in the middle of theirs."""
    samples = np.zeros(round(seconds * rate), np.float32)
    for time_s in times_s:
        at = round(time_s * rate)
        samples[at : at + round(0.02 * rate)] = 0.8 * np.sin(np.arange(round(0.02 * rate)) / rate * 2000 * np.pi)
    return samples


def cut(samples: Samples, rate: int, length: int, marks: Sequence[Mark] = ()) -> Iterator[SpeechChunk]:
    for start in range(0, len(samples), length):
        mine = [one for one in marks if start <= one.start_s * rate < start + length]
        yield SpeechChunk(samples[start : start + length], rate, tuple(mine), 3)


def whole(chunks: Sequence[FaceChunk], rate: int, fps: float, samples: Samples) -> None:
    """What holds of any utterance."""
    assert np.array_equal(np.concatenate([chunk.samples for chunk in chunks]), samples)
    frames = [frame for chunk in chunks for frame in chunk.frames]
    assert [frame.index for frame in frames] == list(range(frames_of(len(samples) / rate, fps)))
    at = 0
    for chunk in chunks:
        assert chunk.start_s == at / rate and chunk.fps == fps and chunk.sample_rate == rate
        assert chunk.frames and chunk.generation == 3 and all(frame.generation == 3 for frame in chunk.frames)
        assert len(chunk.frames) <= LONGEST_S * fps + 1e-6
        assert all(at <= round(frame.index / fps * rate) for frame in chunk.frames)
        at += len(chunk.samples)
        ends = [round((frame.index + 1) / fps * rate) for frame in chunk.frames]
        assert chunk is chunks[-1] or ends[-1] == at


@settings(max_examples=60)
@given(
    rate=st.sampled_from([8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000]),
    length=st.integers(1, 60_000),
    piece=st.integers(1, 30_000),
    fps=st.sampled_from([25.0, 24.0, 30.0, 60.0]),
)
def test_every_sample_and_every_frame_comes_once_at_its_time(rate: int, length: int, piece: int, fps: float) -> None:
    samples = np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32)
    piece = max(piece, length // 50)
    chunks = list(animate(cut(samples, rate, piece), LoudFace(fps), CancelToken()))
    whole(chunks, rate, fps, samples)


@pytest.mark.parametrize("rate", [8000, 22_050, 48_000])
@pytest.mark.parametrize("frames", [1, 2, 25, 99])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_sample_more_or_less_makes_or_unmakes_a_frame_as_the_sound_says(rate: int, frames: int, off: int) -> None:
    samples = np.full(round(frames / 25 * rate) + off, 0.5, np.float32)
    whole(list(animate(cut(samples, rate, 7000), LoudFace(), CancelToken())), rate, 25.0, samples)


@pytest.mark.parametrize(("rate", "piece"), [(48_000, 9600), (22_050, 4000)])
def test_sound_and_picture_stay_together_for_ten_minutes(rate: int, piece: int) -> None:
    seconds, times_s = 600.0, [7.0 * n + 0.01 for n in range(1, 85)]
    bright, loud = [], []
    for chunk in animate(cut(clicks(rate, seconds, times_s), rate, piece), LoudFace(), CancelToken()):
        bright += [frame.index for frame in chunk.frames if frame.image[0, 0, 0] > 120]
        loud += [chunk.start_s + at / rate for at in np.flatnonzero(np.abs(chunk.samples) > 0.7)]
    wanted = [round(time_s * 25) for time_s in times_s]
    assert bright == wanted
    assert sorted({int(time_s * 25) for time_s in loud}) == wanted


def test_marks_come_out_where_they_begin_and_visemes_reach_the_face() -> None:
    face, rate = LoudFace(), 24_000
    marks = [Mark("viseme", "ABCDEFGHX"[n % 9], n * 0.11, n * 0.11 + 0.1) for n in range(27)]
    marks += [Mark("word", str(n), n * 0.5, n * 0.5 + 0.4) for n in range(6)]
    samples = np.full(3 * rate, 0.1, np.float32)
    chunks = list(animate(cut(samples, rate, 5000, marks), face, CancelToken()))
    for chunk in chunks:
        end_s = chunk.start_s + len(chunk.samples) / rate
        assert all(chunk.start_s <= one.start_s < end_s for one in chunk.marks)
    assert sorted((one for chunk in chunks for one in chunk.marks), key=repr) == sorted(marks, key=repr)
    assert face.lines[0].marks == [one for one in marks if one.kind == "viseme"]


def test_the_first_piece_is_one_frame_and_comes_before_the_sound_has_ended() -> None:
    taken: list[int] = []

    def sound() -> Iterator[SpeechChunk]:
        for number in range(500):
            taken.append(number)
            yield SpeechChunk(np.zeros(4800, np.float32), 24_000, (), 3)

    pieces = animate(sound(), LoudFace(), CancelToken(), ahead_s=0.1)
    first = next(pieces)
    assert len(first.frames) == 1 and len(first.samples) == 960
    assert [len(next(pieces).frames) for _ in range(3)] == [2, 4, 5]
    assert len(taken) < 60, "four seconds ahead of the face"
    pieces.close()


def test_a_long_block_is_fed_in_small_ones() -> None:
    face, samples = LoudFace(), np.zeros(RATE_HZ * 10, np.float32)
    whole(list(animate(cut(samples, RATE_HZ, len(samples)), face, CancelToken())), RATE_HZ, 25.0, samples)
    assert face.lines[0].longest <= FEED_S * RATE_HZ
    assert face.lines[0].closed


@pytest.mark.parametrize("chunks", [[], [SpeechChunk(np.zeros(0, np.float32), 24_000)]])
def test_no_sound_is_no_utterance(chunks: list[SpeechChunk]) -> None:
    face = LoudFace()
    with pytest.raises(EmptyAudio):
        list(animate(chunks, face, CancelToken()))
    assert face.lines[0].closed


def test_a_rate_that_changes_is_refused() -> None:
    chunks = [SpeechChunk(np.zeros(9000, np.float32), rate) for rate in (24_000, 16_000)]
    with pytest.raises(ValueError, match="rate"):
        list(animate(chunks, LoudFace(), CancelToken()))


def test_leaving_closes_the_sound_and_the_line() -> None:
    closed, cancel, face = threading.Event(), CancelToken(), LoudFace()

    def sound() -> Iterator[SpeechChunk]:
        try:
            while True:
                yield SpeechChunk(np.zeros(4800, np.float32), 24_000)
        finally:
            closed.set()

    pieces = animate(sound(), face, cancel)
    next(pieces)
    pieces.close()
    assert closed.is_set() and cancel.cancelled and face.lines[0].dropped and face.lines[0].closed


class Stuck(LoudLine):
    """Computes for ever, until it is told to drop it."""

    def __init__(self) -> None:
        super().__init__(LoudFace().info)
        self.fed, self.waits, self.told = 0, threading.Event(), threading.Event()

    def feed(self, samples: Samples, marks: Sequence[Mark] = ()) -> Iterator[Picture]:
        self.fed += 1
        self.waits.set()
        self.told.wait(30)
        yield from ()

    def drop(self) -> None:
        self.told.set()


def test_a_wait_that_is_cancelled_ends_and_the_line_is_fed_no_more() -> None:
    cancel, line = CancelToken(), Stuck()
    threading.Thread(target=lambda: (line.waits.wait(30), cancel.cancel())).start()
    minute = SpeechChunk(np.zeros(RATE_HZ * 60, np.float32), RATE_HZ)
    with pytest.raises(Cancelled):
        list(animate([minute], LoudFace(), cancel, line=line))
    assert line.fed == 1
    assert not line.closed, "a line that was lent stays open"


def test_what_the_face_raises_comes_after_what_it_gave() -> None:
    class Broken(LoudLine):
        def feed(self, samples: Samples, marks: Sequence[Mark] = ()) -> Iterator[Picture]:
            yield from super().feed(samples, marks)
            if self._given > 20:
                raise RuntimeError("the face broke")

    face = LoudFace()
    line: FaceLine = Broken(face.info)
    given: list[FaceChunk] = []
    with pytest.raises(RuntimeError, match="broke"):
        given.extend(animate(cut(np.zeros(99_000, np.float32), RATE_HZ, 8000), face, CancelToken(), line=line))
    assert sum(len(chunk.frames) for chunk in given) >= 15
