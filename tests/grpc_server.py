"""`talkie serve --grpc-port` with the trained test model and a key, for the real clients of gRPC."""

from __future__ import annotations

import contextlib
import io
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ports import free_port
from server_process import ServerProcess, running_server
from speech import say
from talkie.models.store import ModelStore
from whisper_models import TRAINED

KEY = "canary-key-4711"
BEARER = f"Bearer {KEY}"
MODEL = "trained"
TEXTS = ("open the door please", "seven eight nine", "yes stop the light", "three four five six", "one two three")

on_grpc = pytest.mark.xdist_group("grpc")
trained = pytest.mark.skipif(not (TRAINED / "model.bin").exists(), reason="the trained test model is not here")


@dataclass
class GrpcServer:
    server: ServerProcess
    port: int
    certificate: Path

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextlib.contextmanager
def grpc_server(home: Path, *flags: str) -> Iterator[GrpcServer]:
    ModelStore(home).import_(TRAINED, name=MODEL)
    port = free_port()
    known = ("--model", MODEL, "--workers", "1", "--threads", "1", "--grpc-port", str(port))
    with running_server(home, *known, *flags, env={"TALKIE_API_KEY": KEY}) as server:
        yield GrpcServer(server, port, home / "tls" / "cert.pem")


def pcm(text: str, rate: int = 160, gain: float = 1.0) -> bytes:
    """Speech as 16-bit PCM at 16 kHz."""
    return (say(text, rate=rate) * gain * 32767).astype(np.int16).tobytes()


def recordings() -> list[tuple[str, bytes]]:
    """Twenty: five sentences, at two paces, loud and quiet."""
    return [(text, pcm(text, rate, gain)) for text in TEXTS for rate in (140, 160) for gain in (1.0, 0.4)]


def write_wav(path: Path, sound: bytes) -> Path:
    path.write_bytes(wav(sound))
    return path


def wav(sound: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(sound)
    return file.getvalue()
