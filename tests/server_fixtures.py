"""Fixtures around a running server. All tests that share one carry `ON_SERVER`, so that xdist gives them one worker."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator

import numpy as np
import pytest

from server_process import ServerProcess, running_server
from speech import say
from talkie.bench.shape_true import Script, make_shape_true, written_text
from talkie.models.store import ModelStore

ON_SERVER = pytest.mark.xdist_group("server")
WHISPER = "micro"
"""A Whisper in shape only (it writes one text for any sound): for everything that is not recognition."""
SCRIPT = Script(words=8, segments=2, until_s=1.6)
WRITTEN = written_text(SCRIPT)
SAID = "one two three four five"


def speech_wav(text: str = SAID) -> bytes:
    """A recording of a synthetic voice: 16 kHz, 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((say(text) * 32767).astype(np.int16).tobytes())
    return file.getvalue()


def speech_pcm(text: str = SAID) -> bytes:
    """The samples of `speech_wav` alone."""
    return (say(text) * 32767).astype(np.int16).tobytes()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A Whisper called `WHISPER` by default, and the built-in engine beside it; no keys."""
    home = tmp_path_factory.mktemp("home")
    model = make_shape_true(tmp_path_factory.mktemp("made") / WHISPER, "micro", script=SCRIPT)
    ModelStore(home).import_(model, name=WHISPER)
    flags = ("--model", WHISPER, "--workers", "1", "--threads", "1", "--max-upload-mb", "20", "--preset", "fast")
    with running_server(home, *flags) as running:
        running.wait_ready()
        yield running
