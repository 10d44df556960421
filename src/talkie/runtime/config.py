"""What the service needs to know to run: a plain record, filled from the settings by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from talkie.engines.base import Context


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """`model` is what `auto` means ("auto": the best in the store, else the built-in engine). 0 threads or workers:
    as many as suit the machine. `concurrency` requests are at work at once and `queue_size` more may wait;
    with `max_queued_audio_s` seconds of audio waiting for a model no further one begins.
    `max_sessions` live ones may be open, each at most `live_max_lag_s` behind its speaker and `session_idle_s` silent.
    `avatar` is the face of requests that name none; `face_batch` frames of all who ask go into one call of a network,
    and `max_faces` live ones may be shown at once.
    `allow_paths`: a request may name the directory of a model or an avatar by its path; for the command line, never for
    a server."""

    home: Path
    model: str = "auto"
    device: str = "auto"
    compute_type: str = "default"
    backend: str = "auto"
    context: Context = "full"
    threads: int = 0
    workers: int = 0
    preset: str = "balanced"
    concurrency: int = 16
    queue_size: int = 32
    max_queued_audio_s: float = 3600.0
    max_loaded_models: int = 2
    voice: str = "auto"
    max_speech_characters: int = 100_000
    speech_cache_mb: float = 256.0
    idle_unload_s: float = 1800.0
    max_sessions: int = 64
    live_max_lag_s: float = 30.0
    session_idle_s: float = 300.0
    avatar: str = "auto"
    face_backend: str = "auto"
    face_batch: int = 16
    max_faces: int = 8
    max_audio_seconds: float = 12 * 3600.0
    max_audio_bytes: int | None = None
    energy_gate: bool = False
    offline: bool = False
    pull: tuple[str, ...] = ()
    allow_paths: bool = False
