"""A face network alone, beside plain ONNX Runtime called the obvious way: the same frames, in turns.

    ours 15 frames, plain 15 frames, ours 15 frames, ...

so that whatever the machine does in a minute happens to both; between them a pause, for the threads of a plain session
go on spinning after a call and would burn what is measured next. Knows nothing of films.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.bench.face_results import NetworkCase, Pair, times
from talkie.engines.base import FaceModel
from talkie.engines.lipsync.choice import closeness_db
from talkie.pipeline.face_features import FaceFeatures
from talkie.pipeline.face_neural import NeuralFace
from talkie.types import Samples
from talkie.video.source import ping_pong
from talkie.video.tensors import write_visual

OURS, PLAIN, KNOWN = "talkie", "onnxruntime", "talkie, source frames known"
KNOWN_BATCHES = (1, 4)
BLOCK = 15
PAUSE_S = 0.06
WARM_UP = 3

Floats = NDArray[np.float32]
Run = Callable[[Floats, Floats], Floats]


class Inputs:
    """What the network is given for each frame of a recording: the crops of the pack's frames, and its sound."""

    def __init__(self, face: NeuralFace, model: FaceModel, samples: Samples, frames: int) -> None:
        self._face = face
        features = FaceFeatures(model.encode)
        features.feed(samples)
        features.finish()
        self.audio = np.stack([features.audio(frame) for frame in range(frames)])

    def of(self, frames: Sequence[int]) -> tuple[Floats, Floats]:
        size = self._face.mouths.info.size
        visual = np.empty((len(frames), 6, size, size), np.float32)
        for place, frame in enumerate(frames):
            write_visual(self._face.crop(self.source(frame)), visual[place])
        return visual, self.audio[list(frames)]

    def source(self, frame: int) -> int:
        return ping_pong(frame, self._face.source.count)

    def __len__(self) -> int:
        return len(self.audio)


@dataclass(slots=True)
class Board:
    """What gathers. Times are of single frames."""

    ours: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    ours_cpu_s: float = 0.0
    plain_cpu_s: float = 0.0
    pairs: list[Pair] = field(default_factory=list)
    psnr_db: list[float] = field(default_factory=list)

    @property
    def cases(self) -> list[NetworkCase]:
        return [
            NetworkCase(OURS, 1, times(self.ours, self.ours_cpu_s)),
            NetworkCase(PLAIN, 1, times(self.plain, self.plain_cpu_s)),
        ]


def in_turns(model: FaceModel, plain: Run, inputs: Inputs, progress: Callable[[str], None]) -> Board:
    """One frame a call, every frame by both."""
    board = Board()
    out = np.empty((1, *_picture(model)), np.float32)
    ours: Run = lambda visual, audio: model.infer(visual, audio, out)  # noqa: E731
    for run in (ours, plain):
        _block(run, *inputs.of(range(min(WARM_UP, len(inputs)))))
    for number, frames in enumerate(_blocks(len(inputs))):
        if number % 4 == 0:
            progress(f"network: frame {frames[0]} of {len(inputs)}")
        visual, audio = inputs.of(frames)
        mine, theirs = _block(ours, visual, audio), _block(plain, visual, audio)
        board.ours += mine.frame_s
        board.plain += theirs.frame_s
        board.ours_cpu_s += mine.cpu_s
        board.plain_cpu_s += theirs.cpu_s
        board.pairs.append(Pair(sum(theirs.frame_s), theirs.cpu_s, sum(mine.frame_s), mine.cpu_s))
        board.psnr_db += [closeness_db(a[None], b[None]) for a, b in zip(mine.pictures, theirs.pictures, strict=True)]
    return board


@dataclass(slots=True)
class _Block:
    frame_s: list[float] = field(default_factory=list)
    pictures: list[Floats] = field(default_factory=list)
    cpu_s: float = 0.0


def _block(run: Run, visual: Floats, audio: Floats) -> _Block:
    found = _Block()
    time.sleep(PAUSE_S)
    for place in range(len(visual)):
        cpu_s, began_s = time.process_time(), time.perf_counter()
        picture = run(visual[place : place + 1], audio[place : place + 1])
        found.frame_s.append(time.perf_counter() - began_s)
        found.cpu_s += time.process_time() - cpu_s
        found.pictures.append(picture[0].copy())
    return found


def in_batches(
    model: FaceModel, inputs: Inputs, batches: Sequence[int], limit_s: float
) -> Iterator[tuple[NetworkCase | None, int]]:
    """Our network with each size of call: as many frames as there are, or as the time allows but two calls; None for
    sizes that it does not take."""
    for batch in batches:
        if batch > model.info.max_batch:
            yield None, batch
            continue
        visual, audio = inputs.of([place % len(inputs) for place in range(batch)])
        out = np.empty((batch, *_picture(model)), np.float32)
        model.infer(visual, audio, out)
        frame_s: list[float] = []
        cpu_s, until_s = time.process_time(), time.perf_counter() + limit_s
        while len(frame_s) < len(inputs) and (len(frame_s) < 2 * batch or time.perf_counter() < until_s):
            began_s = time.perf_counter()
            model.infer(visual, audio, out)
            frame_s += [(time.perf_counter() - began_s) / batch] * batch
        yield NetworkCase(OURS, batch, times(frame_s, time.process_time() - cpu_s)), batch


def of_known_sources(model: FaceModel, inputs: Inputs, batch: int) -> NetworkCase:
    """Our network where every source frame was shown before, as in the second turn of a loop."""
    out = np.empty((batch, *_picture(model)), np.float32)
    frame_s: list[float] = []
    cpu_s = 0.0
    for number in range(len(inputs) * 2 // batch):
        frames = [frame % len(inputs) for frame in range(number * batch, (number + 1) * batch)]
        (visual, audio), sources = inputs.of(frames), [("known", inputs.source(frame)) for frame in frames]
        before_s, began_s = time.process_time(), time.perf_counter()
        model.infer(visual, audio, out, sources)
        if number * batch >= len(inputs):
            frame_s += [(time.perf_counter() - began_s) / batch] * batch
            cpu_s += time.process_time() - before_s
    return NetworkCase(KNOWN, batch, times(frame_s, cpu_s))


def plain_session(path: Path, gpu: bool) -> Run:
    """As a person would write it who reads the first page of ONNX Runtime's manual."""
    import onnxruntime

    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"] if gpu else ["CPUExecutionProvider"]
    session: Any = onnxruntime.InferenceSession(str(path), providers=providers)
    visual_name, audio_name = _names(session)
    return lambda visual, audio: session.run(None, {visual_name: visual, audio_name: audio})[0]


def _names(session: Any) -> tuple[str, str]:
    """Of the input of six channels, and of the other."""
    first, second = session.get_inputs()
    return (first.name, second.name) if first.shape[1] == 6 else (second.name, first.name)


def _picture(model: FaceModel) -> tuple[int, int, int]:
    return 3, model.info.size, model.info.size


def _blocks(count: int) -> Iterator[range]:
    for at in range(0, count, BLOCK):
        yield range(at, min(at + BLOCK, count))
