"""What is counted, as Prometheus reads it, from `count` on. Labels are closed lists: no user data."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from talkie.errors import Cancelled
from talkie.runtime.counting import CONTENT_TYPE, REGISTRY, Counter, Gauge, Histogram

__all__ = ["CONTENT_TYPE", "REGISTRY", "Counter", "Gauge", "Histogram", "LaneMetrics", "count", "ended", "render"]

REQUESTS = Counter("talkie_transcriptions", "Transcriptions ended, by model and outcome", ["model", "outcome"])
AUDIO_SECONDS = Counter("talkie_audio_seconds", "Seconds of audio heard, by model", ["model"])
BUSY_SECONDS = Counter("talkie_engine_busy_seconds", "Seconds an engine was at work", ["model"])
BATCH_SIZE = Histogram("talkie_batch_windows", "Windows in a batch", ["model"], buckets=(1, 2, 4, 8, 16, 32))
QUEUED_SECONDS = Gauge("talkie_queued_audio_seconds", "Seconds of audio that wait for a model", ["model"])
QUEUED_WINDOWS = Gauge("talkie_queued_windows", "Windows that wait for a model", ["model"])
QUEUE_WAIT = Histogram(
    "talkie_queue_wait_seconds",
    "Seconds from a window's coming to the start of its batch, by model and priority",
    ["model", "priority"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
DROPPED = Counter("talkie_dropped_segments", "Segments taken out by a filter, by reason", ["model", "reason"])
RUNNING = Gauge("talkie_requests_running", "Requests at work")
WAITING = Gauge("talkie_requests_waiting", "Requests in line")
LOADED = Gauge("talkie_model_loaded", "1 for each model in memory", ["model"])
LATENCY = Histogram(
    "talkie_transcription_seconds",
    "Seconds from accepting a recording to its whole transcript",
    ["model"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)

SPEECH_REQUESTS = Counter("talkie_speech_requests", "Texts spoken or not, by model and outcome", ["model", "outcome"])
SPEECH_SECONDS = Counter("talkie_speech_seconds", "Seconds of speech given out, by model", ["model"])
SPEECH_FIRST = Histogram(
    "talkie_speech_first_seconds",
    "Seconds from a text's coming to its first piece of sound",
    ["model"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
SPEECH_CACHE = Counter("talkie_speech_cache", "Texts looked for among those kept, by outcome (hit, miss)", ["outcome"])

LIVE_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 30)
LIVE_SESSIONS = Gauge("talkie_live_sessions", "Live sessions that are open, by door", ["door"])
LIVE_PARTIAL = Histogram(
    "talkie_live_partial_seconds",
    "Seconds from sound's coming to the partial text that includes it",
    buckets=LIVE_SECONDS,
)
LIVE_FINAL = Histogram(
    "talkie_live_final_seconds",
    "Seconds from the end of speech to its final text",
    buckets=LIVE_SECONDS,
)
LIVE_LAG = Histogram(
    "talkie_live_lag_seconds",
    "How far a live session is behind its speaker, once a second of sound",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60),
)
LIVE_DROPPED = Counter("talkie_live_dropped", "Live sessions ended by an error, by reason", ["reason"])
LIVE_CANCELLED = Counter("talkie_live_cancelled", "Windows of live sessions taken back before they were heard")

FACE_REQUESTS = Counter("talkie_face_requests", "Faces shown or not, by kind and outcome", ["kind", "outcome"])
FACE_FRAMES = Counter("talkie_face_frames", "Frames of faces given out, by kind", ["kind"])
FACE_SECONDS = Counter("talkie_face_seconds", "Seconds of talking faces given out, by kind", ["kind"])
FACE_FIRST = Histogram(
    "talkie_face_first_seconds",
    "Seconds from a text's or a recording's coming to its first frame",
    ["kind"],
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 30),
)
FACE_REPEATED = Counter(
    "talkie_face_repeated_frames",
    "Frames shown again in place of the next: `late`, it was not there in time; `behind`, it was not made at all",
    ["reason"],
)
FACES = Gauge("talkie_live_faces", "Live faces that are open")


@contextmanager
def ended(requests: Counter, of: str) -> Iterator[None]:
    """Around one request, generators too: counts it by how it ends: ok, cancelled (or left) or failed."""
    outcome = "failed"
    try:
        yield
        outcome = "ok"
    except (Cancelled, GeneratorExit):
        outcome = "cancelled"
        raise
    finally:
        requests.labels(of, outcome).inc()


class LaneMetrics:
    """What a lane tells of one model."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._queued_windows = QUEUED_WINDOWS.labels(model)
        self._queued_seconds = QUEUED_SECONDS.labels(model)

    def queued(self, windows: int, seconds: float) -> None:
        self._queued_windows.set(windows)
        self._queued_seconds.set(seconds)

    def waited(self, priority: str, seconds: float) -> None:
        QUEUE_WAIT.labels(self._model, priority).observe(seconds)

    @contextmanager
    def busy(self, batch: int = 0) -> Iterator[None]:
        """Count the time that work takes, and the windows of a batch where it is one."""
        if batch:
            BATCH_SIZE.labels(self._model).observe(batch)
        began = time.monotonic()
        try:
            yield
        finally:
            BUSY_SECONDS.labels(self._model).inc(time.monotonic() - began)


def count() -> None:
    """From now on everything is counted: said where there is somebody to read it."""
    REGISTRY.count()


def render() -> bytes:
    """All metrics in the Prometheus text format."""
    return REGISTRY.render()
