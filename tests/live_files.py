"""Small files for tests of live commands: a recording, and programs that write down what they were given."""

from __future__ import annotations

import io
import sys
import wave
from pathlib import Path

import numpy as np

TONE = (np.sin(np.arange(8000) / 10) * 8000).astype("<i2").tobytes()
"""Half a second at 16 kHz, 16 bits."""


def recording(rate: int = 16_000, times: int = 1) -> bytes:
    """A WAV with the tone in it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(TONE * times)
    return file.getvalue()


def fake_program(directory: Path, name: str, *, fails: bool = False) -> Path:
    """Writes its arguments and what it reads to `name.txt` beside it."""
    path = directory / name
    path.write_text(
        f"#!{sys.executable} -S\nimport sys, pathlib\n"
        f"pathlib.Path(__file__ + '.txt').write_text(' '.join(sys.argv[1:]) + '|' + sys.stdin.buffer.read().decode())\n"
        f"sys.exit({int(fails)})\n"
    )
    path.chmod(0o755)
    return path


def given(path: Path) -> str:
    return Path(f"{path}.txt").read_text()
