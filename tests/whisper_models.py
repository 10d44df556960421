"""Whisper models for tests: shape-true ones, made once a process, and the trained one."""

from __future__ import annotations

import atexit
import functools
import tempfile
from pathlib import Path

from talkie.bench.shape_true import Script, make_shape_true

TRAINED = Path(__file__).parent / "fixtures" / "whisper-test"

SEVERAL = Script(words=24, segments=4, until_s=28.0)
EARLY = Script(words=8, segments=1, until_s=5.0)
OPEN_END = Script(words=12, segments=3, until_s=9.0, open_end=True)
ENGLISH = Script(words=10, segments=2, until_s=10.0, english_only=True)


@functools.cache
def shape_model(script: Script = SEVERAL, size: str = "micro", compute_type: str = "int8", seed: int = 0) -> Path:
    """The directory of a shape-true model, removed when the process ends."""
    home = tempfile.TemporaryDirectory(prefix="talkie-shape-")
    atexit.register(home.cleanup)
    return make_shape_true(Path(home.name) / f"shape-{size}", size, compute_type, seed, script)
