"""The whole way of a face: a recording in, an H.264 film out, beside the network alone for as many frames.

The same parts that `talkie animate` is made of, with its own lane; what is loaded once stays loaded. Knows nothing of
who asks.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkie.audio.decode import open_audio
from talkie.bench.face_results import Pair
from talkie.engines.base import FaceModel, FaceModelInfo, VoiceActivityDetector
from talkie.pipeline.animate import animate
from talkie.pipeline.faces import Face
from talkie.pipeline.recorded import recorded, talk_rate
from talkie.runtime.cancel import CancelToken
from talkie.types import FaceChunk
from talkie.video.film import write_film

Floats = NDArray[np.float32]


class Counted:
    """A `FaceModel` that counts the frames it makes."""

    def __init__(self, model: FaceModel) -> None:
        self._model, self.frames = model, 0

    @property
    def info(self) -> FaceModelInfo:
        return self._model.info

    def encode(self, windows: Floats) -> Floats:
        return self._model.encode(windows)

    def infer(
        self, visual: Floats, audio: Floats, out: Floats | None = None, sources: Sequence[Hashable | None] = ()
    ) -> Floats:
        self.frames += len(visual)
        return self._model.infer(visual, audio, out, sources)

    def close(self) -> None:
        self._model.close()


@dataclass(frozen=True, slots=True)
class Filmed:
    """One film. `frame_s`: how long after those before it each frame was encoded, the first left out."""

    wall_s: float
    cpu_s: float
    first_s: float
    frame_s: tuple[float, ...]
    frames: int
    size_bytes: int


def film(recording: Path, face: Face, detector: VoiceActivityDetector, target: Path) -> Filmed:
    """Raises what any part raises."""
    at_s: list[tuple[float, int]] = []
    cpu_s, began_s = time.process_time(), time.perf_counter()

    def watched() -> Iterator[FaceChunk]:
        """Whoever takes the next piece has encoded the last one."""
        with open_audio(recording, sample_rate=talk_rate) as stream:
            sound = recorded(stream.blocks(), stream.sample_rate, detector=detector)
            with closing(animate(sound, face, CancelToken())) as chunks:
                for chunk in chunks:
                    yield chunk
                    at_s.append((time.perf_counter() - began_s, len(chunk.frames)))

    write_film(target, watched())
    wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    return Filmed(wall_s, cpu_s, at_s[0][0], tuple(_gaps(at_s)), sum(count for _, count in at_s), target.stat().st_size)


def _gaps(at_s: list[tuple[float, int]]) -> Iterator[float]:
    """Of each frame; those of a piece come together and share its time."""
    for (before_s, _), (now_s, count) in pairwise(at_s):
        yield from [(now_s - before_s) / max(1, count)] * count


def alone(model: FaceModel, visual: Floats, audio: Floats, frames: int) -> tuple[float, float]:
    """Seconds of the clock and of processors for so many frames, in calls as large as the inputs."""
    most = len(visual)
    out = np.empty((most, 3, model.info.size, model.info.size), np.float32)
    cpu_s, began_s = time.process_time(), time.perf_counter()
    for at in range(0, frames, most):
        count = min(most, frames - at)
        model.infer(visual[:count], audio[:count], out[:count])
    return time.perf_counter() - began_s, time.process_time() - cpu_s


def pair(filmed: Filmed, computed: int, lone: tuple[float, float], frames: int) -> Pair:
    """A film beside the network alone, the latter brought to as many frames as the former had computed."""
    share = computed / frames
    return Pair(filmed.wall_s, filmed.cpu_s, lone[0] * share, lone[1] * share)
