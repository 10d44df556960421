"""A service without engines, for tests of the doors in front of it: it answers at once with words it was given."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from fakes_face import FakeFaceService
from fakes_live import FakeLiveService
from fakes_speech import FakeSpeakService
from talkie.errors import TalkieError
from talkie.runtime.cancel import CancelToken
from talkie.runtime.requests import TranscribeRequest
from talkie.types import Notice, Progress, Segment, Transcript, TranscriptEvent, Word

log = logging.getLogger("talkie.fake")


@dataclass(frozen=True)
class FakeModel:
    id: str = "fake-en"
    engine: str = "fake"
    languages: tuple[str, ...] = ("en",)
    size_bytes: int = 123
    loaded: bool = True
    kind: str = "recognizer"


@dataclass(frozen=True)
class FakeReadiness:
    ok: bool = True
    parts: dict[str, str] = field(default_factory=lambda: {"model": "ready"})


class FakeService(FakeLiveService, FakeSpeakService, FakeFaceService):
    """Hears `texts`, one segment a second. `raises` comes before the first, `breaks` after it; `seen` is what came."""

    def __init__(
        self,
        texts: tuple[str, ...] = ("hello there", "general"),
        *,
        raises: Exception | None = None,
        breaks: Exception | None = None,
        hangs: bool = False,
        seconds: float = 0.0,
        notices: tuple[Notice, ...] = (),
        readiness: FakeReadiness = FakeReadiness(),
    ) -> None:
        FakeLiveService.__init__(self)
        FakeSpeakService.__init__(self)
        FakeFaceService.__init__(self)
        self.texts, self.raises, self.breaks, self.hangs, self.notices = texts, raises, breaks, hangs, notices
        self.readiness, self.seconds = readiness, seconds
        self.seen: list[tuple[bytes, TranscribeRequest]] = []
        self.both: threading.Barrier | None = None
        self.started, self.cancelled, self.closed = threading.Event(), threading.Event(), threading.Event()

    def transcribe(
        self, source: Path | BinaryIO, request: TranscribeRequest, cancel: CancelToken | None = None
    ) -> Iterator[TranscriptEvent]:
        data = source.read_bytes() if isinstance(source, Path) else source.read()
        self.seen.append((data, request))
        self.started.set()
        if self.both:
            self.both.wait(20)
        try:
            yield from self._events(request, cancel or CancelToken())
        except (TalkieError, GeneratorExit):
            log.warning("cancelled")
            self.cancelled.set()
            raise

    def _events(self, request: TranscribeRequest, cancel: CancelToken) -> Iterator[TranscriptEvent]:
        if self.raises:
            raise self.raises
        yield Progress(0.0, None)
        segments = []
        for index, text in enumerate(self.texts):
            words = tuple(Word(word, index, index + 1, 0.5) for word in text.split()) if request.words else ()
            segments.append(Segment(text, index, index + 1, words, (1, 2), -0.25))
            yield segments[-1]
            if self.breaks:
                raise self.breaks
        log.warning("at work")
        until = time.monotonic() + self.seconds
        while self.hangs or time.monotonic() < until:
            cancel.check()
            time.sleep(0.01)
        yield Transcript(
            tuple(segments), "en", 1.0, float(len(segments)), request.task, "fake-en", notices=self.notices
        )

    def models(self) -> list[FakeModel]:
        return [FakeModel()]

    def loaded(self) -> list[object]:
        return []

    def ready(self) -> FakeReadiness:
        return self.readiness

    def warm(self) -> None:
        return

    def close(self, grace_s: float = 0.0) -> None:
        self.closed.set()


class NativeService(FakeService):
    """One whose `warm` computes inside a native library for ever, and nobody can interrupt that."""

    def warm(self) -> None:
        import numpy as np
        import openvino
        from openvino import opset13 as ops

        side = 2000
        given = ops.parameter([side, side], np.float32)
        model = openvino.Model([ops.matmul(given, given, False, False)], [given])
        request = openvino.Core().compile_model(model, "CPU").create_infer_request()
        log.warning("in a native library")
        while True:
            request.infer([np.ones((side, side), np.float32)])


def named(name: str) -> FakeService:
    """The fakes that a test can ask for in another process."""
    from flashes import FlashService

    return {
        "plain": lambda: FakeService(),
        "flashes": lambda: FlashService(),
        "native": lambda: NativeService(),
        "hangs": lambda: FakeService(hangs=True),
        "slow": lambda: FakeService(seconds=1.5),
        "faulty": lambda: FakeService(raises=ValueError("canary-in-exception")),
        "loading": lambda: FakeService(readiness=FakeReadiness(False, {"model": "loading"})),
    }[name]()
