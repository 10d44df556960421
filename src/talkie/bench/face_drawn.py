"""How fast the built-in avatar is drawn: one thread on one processor, and from a text to a film.

Knows nothing of tables.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from talkie.audio.rate import RateChanger
from talkie.bench.face_results import DrawnRun, Times, times
from talkie.bench.sentences import SENTENCES
from talkie.pipeline.face_drawn import SIZE, DrawnFace
from talkie.pipeline.faces import FaceLine
from talkie.runtime.face import FaceRequest
from talkie.runtime.service import Service
from talkie.runtime.speech import SpeakRequest
from talkie.types import SAMPLE_RATE_HZ, FaceChunk, Picture, SpeechChunk
from talkie.video.film import write_film

FRAMES = 255
TEXT = " ".join(SENTENCES["en"])


def measure(service: Service, target: Path, frames: int = FRAMES, size: int = SIZE) -> DrawnRun:
    """Raises `talkie.errors`."""
    return DrawnRun(size, size, _drawn(service, frames, size), _filmed(service, target, frames, size))


def _drawn(service: Service, frames: int, size: int) -> Times:
    """The face's own work: what it hears and draws. Speech is made before, a second of it drawn to warm up."""
    chunks = list(service.speak(_request()))
    with one_processor():
        frame_s: list[float] = []
        cpu_s = 0.0
        face = DrawnFace(size, size)
        for wanted in (min(25, frames), frames):
            frame_s, cpu_s = [], time.thread_time()
            with closing(face.open()) as line:
                began_s = time.perf_counter()
                for _ in _pictures(line, chunks):
                    now_s = time.perf_counter()
                    frame_s.append(now_s - began_s)
                    began_s = now_s
                    if len(frame_s) == wanted:
                        break
            cpu_s = time.thread_time() - cpu_s
    return times(frame_s, cpu_s)


def _pictures(line: FaceLine, chunks: Sequence[SpeechChunk]) -> Iterator[Picture]:
    changer = RateChanger(chunks[0].sample_rate, SAMPLE_RATE_HZ)
    for chunk in chunks:
        visemes = [mark for mark in chunk.marks if mark.kind == "viseme"]
        yield from line.feed(changer.feed(chunk.samples), visemes)
    yield from line.feed(changer.finish())
    yield from line.finish()


def _filmed(service: Service, target: Path, frames: int, size: int) -> Times:
    """A text in, a film out, everything that is needed at work."""
    shown = 0

    def watched() -> Iterator[FaceChunk]:
        nonlocal shown
        with closing(service.show(_request(), FaceRequest(width=size, height=size))) as chunks:
            for chunk in chunks:
                yield chunk
                shown += len(chunk.frames)
                if shown >= frames:
                    return

    cpu_s, began_s = time.process_time(), time.perf_counter()
    write_film(target, watched())
    wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    return times([wall_s / shown] * shown, cpu_s)


def _request() -> SpeakRequest:
    return SpeakRequest(TEXT, language="en", cache=False, visemes=True)


@contextmanager
def one_processor() -> Iterator[None]:
    """This thread stays on one of the processors that it may use, where the system lets it choose."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
