"""Films with a flash and a click at the same instants, and what a reader of films finds in one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from talkie.types import FaceChunk, VideoFrame

CLICK_S = 0.04


@dataclass(frozen=True)
class Seen:
    """`flashes` and `clicks` are the seconds at which each begins; `frames` how many pictures were shown, and when."""

    times_s: tuple[float, ...]
    flashes: tuple[float, ...]
    clicks: tuple[float, ...]
    sound_s: float

    @property
    def offsets_ms(self) -> list[float]:
        """By how much each click is early."""
        assert len(self.flashes) == len(self.clicks)
        return [1000 * (flash - click) for flash, click in zip(self.flashes, self.clicks, strict=True)]


def flashing(
    seconds: float, every_s: float, *, rate: int = 24_000, fps: float = 25.0, step: int = 5, side: int = 32
) -> Iterator[FaceChunk]:
    """Black, with one white picture and a click every so often, the first after `every_s`."""
    count, period = round(seconds * fps), round(every_s * fps)
    sound = np.zeros(round(seconds * rate), np.float32)
    tone = np.sin(np.arange(round(CLICK_S * rate)) / rate * 2 * np.pi * 1000).astype(np.float32) * 0.8
    for frame in range(period, count, period):
        at = round(frame / fps * rate)
        sound[at : at + len(tone)] = tone[: len(sound) - at]
    dark, light = (np.full((side, side, 3), level, np.uint8) for level in (20, 230))
    for first in range(0, count, step):
        last = min(count, first + step)
        frames = tuple(VideoFrame(light if n and n % period == 0 else dark, n) for n in range(first, last))
        piece = sound[round(first / fps * rate) : round(last / fps * rate)]
        yield FaceChunk(piece, rate, frames, first / fps, fps)


def seen(film: bytes) -> Seen:
    with av.open(io.BytesIO(film)) as container:
        pictures = [(float(frame.time), frame.to_ndarray(format="gray").mean()) for frame in container.decode(video=0)]
    with av.open(io.BytesIO(film)) as container:
        heard = [
            (float(frame.time), frame.to_ndarray().reshape(-1), frame.sample_rate)
            for frame in container.decode(audio=0)
        ]
    loud: list[float] = []
    for start_s, samples, rate in heard:
        loud += [start_s + index / rate for index in np.flatnonzero(np.abs(samples) > 0.3)]
    return Seen(
        tuple(time_s for time_s, _ in pictures),
        tuple(time_s for time_s, level in pictures if level > 120),
        tuple(_starts(loud)),
        sum(len(samples) / rate for _, samples, rate in heard),
    )


def _starts(loud: list[float]) -> Iterator[float]:
    last = -1.0
    for time_s in loud:
        if time_s - last > 2 * CLICK_S:
            yield time_s
        last = time_s


def picture(film: bytes, index: int) -> NDArray[np.uint8]:
    """One frame as B G R, its colours read as the film says."""
    with av.open(io.BytesIO(film)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == index:
                return np.asarray(frame.reformat(format="bgr24", src_colorspace=frame.colorspace).to_ndarray())
    raise AssertionError("the film is shorter")
