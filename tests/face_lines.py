"""What neural faces need in tests: networks asked as a line asks them, detectors that say what they are told, source
frames that lie in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from talkie.engines.base import FaceModelInfo
from talkie.pipeline.faces import MouthItem
from talkie.types import Audio, Picture, Samples
from talkie.video.tensors import mouth_picture, write_visual

Floats = NDArray[np.float32]


class NetworkMouths:
    """`Mouths` of the two networks in a directory, by ONNX Runtime called the plain way; one thread."""

    def __init__(self, directory: Path, max_batch: int = 4) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._face = onnxruntime.InferenceSession(directory / "face.onnx", options, ["CPUExecutionProvider"])
        self._encoder = onnxruntime.InferenceSession(directory / "audio_encoder.onnx", options)
        self._names = [one.name for one in self._face.get_inputs()]
        self._pool = ThreadPoolExecutor(1)
        self.info = FaceModelInfo("test", "test", max_batch=max_batch)
        self.batches: list[int] = []

    def encode(self, windows: Floats) -> Floats:
        name = self._encoder.get_inputs()[0].name
        each = [self._encoder.run(None, {name: window.T[None, None]})[0] for window in windows]
        return np.concatenate(each)

    def submit(self, items: Sequence[MouthItem]) -> Future[list[Picture]]:
        assert 1 <= len(items) <= self.info.max_batch
        self.batches.append(len(items))
        return self._pool.submit(self._run, items)

    def _run(self, items: Sequence[MouthItem]) -> list[Picture]:
        size = len(items[0].crop)
        visual = np.empty((len(items), 6, size, size), np.float32)
        for item, place in zip(items, visual, strict=True):
            write_visual(item.crop, place)
        audio = np.stack([item.audio for item in items])
        (output,) = self._face.run(None, dict(zip(self._names, (visual, audio), strict=True)))
        return [mouth_picture(mouth) for mouth in output]

    def close(self) -> None:
        self._pool.shutdown()


class GreyMouths:
    """A mouth of one grey: what `level` makes of the sixteen features of a frame, 0..1. Answers at once, or, `held`,
    when it is told to. A feature holds the mean of its window and that of its centre column, both 0..1."""

    def __init__(
        self, size: int = 32, max_batch: int = 8, level: Callable[[Floats], float] | None = None, *, held: bool = False
    ) -> None:
        self.info = FaceModelInfo("grey", "grey", size=size, max_batch=max_batch)
        self.items: list[MouthItem] = []
        self.batches: list[int] = []
        self.encoded = 0
        self.waiting: list[tuple[Future[list[Picture]], list[MouthItem]]] = []
        self.asked = threading.Semaphore(0)
        self._level = level or (lambda features: float(features[7, 1]))
        self._held = held

    def encode(self, windows: Floats) -> Floats:
        self.encoded += len(windows)
        features = np.zeros((len(windows), 512), np.float32)
        features[:, 0] = (windows.mean(axis=(1, 2)) + 4) / 8
        features[:, 1] = (windows[:, 8].mean(axis=1) + 4) / 8
        return features

    def submit(self, items: Sequence[MouthItem]) -> Future[list[Picture]]:
        assert 1 <= len(items) <= self.info.max_batch
        future: Future[list[Picture]] = Future()
        self.items += items
        self.batches.append(len(items))
        self.waiting.append((future, list(items)))
        self.asked.release()
        if not self._held:
            self.answer()
        return future

    def answer(self, error: Exception | None = None) -> None:
        """The oldest that waits and was not cancelled."""
        future, items = self.waiting.pop(0)
        if not future.set_running_or_notify_cancel():
            return
        if error is not None:
            future.set_exception(error)
            return
        future.set_result([self._mouth(item) for item in items])

    def _mouth(self, item: MouthItem) -> Picture:
        level = self._level(item.audio.reshape(16, 512))
        return np.full(item.crop.shape, round(255 * min(1.0, max(0.0, level))), np.uint8)


class SaidSpeech:
    """A detector that hears speech where `speech` says so, by the time of each window; always, unless told."""

    def __init__(self, speech: Callable[[float], bool] = lambda at_s: True) -> None:
        self._speech = speech

    def open(self) -> SaidStream:
        return SaidStream(self._speech)

    def probabilities(self, audio: Audio) -> Floats:
        stream = self.open()
        return np.concatenate([stream.feed(audio.samples), stream.finish()])


class SaidStream:
    def __init__(self, speech: Callable[[float], bool]) -> None:
        self._speech, self._heard, self._told = speech, 0, 0

    def feed(self, samples: Samples) -> Floats:
        self._heard += len(samples)
        return self._tell(self._heard // 512)

    def finish(self) -> Floats:
        return self._tell(-(-self._heard // 512))

    def _tell(self, until: int) -> Floats:
        told = [float(self._speech(window * 0.032)) for window in range(self._told, until)]
        self._told = until
        return np.array(told, np.float32)


class MemorySource:
    """A `Source` of pictures that are there."""

    def __init__(self, frames: Sequence[Picture]) -> None:
        self._frames = list(frames)
        for frame in self._frames:
            frame.flags.writeable = False
        self.count = len(self._frames)
        self.height, self.width = self._frames[0].shape[:2]
        self.closed = False

    def frame(self, index: int) -> Picture:
        return self._frames[index]

    def close(self) -> None:
        self.closed = True
