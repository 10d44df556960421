"""In place of the package of that name: a microphone that hears a low tone for ever."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

default = type("Default", (), {"device": (0, 0)})


class PortAudioError(Exception):
    pass


def query_devices(device: Any = None, kind: str | None = None) -> Any:
    entry = {"name": "Pretended", "max_input_channels": 1, "default_samplerate": 16_000.0}
    return entry if kind else [entry]


class RawInputStream:
    def __init__(self, *, blocksize: int, callback: Callable[..., None], **asked: Any) -> None:
        self._block = (np.sin(np.arange(blocksize) / 20) * 8000).astype("<i2").tobytes()
        self._seconds = blocksize / asked["samplerate"]
        self._callback = callback
        self.active = False

    def start(self) -> None:
        self.active = True
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self.active = False

    def _run(self) -> None:
        while self.active:
            self._callback(memoryview(self._block), len(self._block) // 2, None, None)
            time.sleep(self._seconds)
