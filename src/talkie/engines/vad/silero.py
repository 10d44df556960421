"""Silero VAD v6: where in a recording is somebody speaking?

Knows nothing of spans or files, nor of the libraries that run the graph (`silero_graph`). The model (MIT,
https://github.com/snakers4/silero-vad) lies in the `faster-whisper` distribution, which is read by path and never
imported (docs/decisions/0002). Its graph takes a *sequence* of windows and a state: `input (n, 576)` float32 - 64
samples of context and 512 new ones - with `h`, `c` `(1, 1, 128)`; it gives `speech_probs (n,)`, `hn`, `cn`. A hundred
windows a call cost about half of what they cost one by one, and the state is carried from call to call, so the same
probabilities come out however a stream is split (docs/decisions/0011).
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from talkie.engines.vad.silero_graph import AUTO, RUNTIMES, SileroGraph, State, open_graph
from talkie.errors import EngineFailed, EngineUnavailable
from talkie.types import SAMPLE_RATE_HZ, Audio, Samples

__all__ = ["RUNTIMES", "SileroDetector", "SileroStream", "State", "model_path"]

WINDOW = 512
CONTEXT = 64
STATE_SHAPE = (1, 1, 128)
MAX_WINDOWS = 128
"""Windows a call: 4 s of audio. More is no faster, and what the graph needs in memory grows with it."""
WARM_UP_WINDOWS = 16
"""Half a second of silence that every stream has heard before its first sample. A detector that starts cold misses one
in fourteen of 800 clips that begin with the word itself; one that has heard silence misses none of them."""
PACKAGE, MODEL = "faster_whisper", "assets/silero_vad_v6.onnx"


class SileroDetector:
    """A `VoiceActivityDetector`. The model is loaded with the first audio; one graph serves all streams."""

    def __init__(self, path: Path | None = None, *, runtime: str = AUTO, cache_dir: Path | None = None) -> None:
        """`path`: another file of the same shape. `runtime`: one of `RUNTIMES`. `cache_dir`: where the compiled form
        may be kept, which spares every start but the first some 60 ms. Raises nothing: see `open`.
        """
        self._path = path
        self._runtime = runtime
        self._cache_dir = cache_dir
        self._graph: SileroGraph | None = None
        self._warm: State | None = None
        self._lock = Lock()

    def open(self) -> SileroStream:
        """A new recording. Raises `EngineUnavailable` where the model or what runs it is missing."""
        return SileroStream(self)

    def probabilities(self, audio: Audio) -> NDArray[np.float32]:
        """Shape `(ceil(n / 512),)`, 0..1. Raises `EngineFailed` for another rate than 16 kHz."""
        if audio.sample_rate != SAMPLE_RATE_HZ:
            raise EngineFailed("silero", f"it hears {SAMPLE_RATE_HZ} Hz, not {audio.sample_rate} Hz")
        stream = self.open()
        return np.concatenate([stream.feed(audio.samples), stream.finish()])

    def run(self, windows: NDArray[np.float32], state: State) -> tuple[NDArray[np.float32], State]:
        """One call of the graph: `(n, 576)` and a state to `(n,)` and the next. Thread-safe."""
        return self.graph().run(windows, state)

    def warm_state(self) -> State:
        """The state after half a second of silence: where every stream begins."""
        if self._warm is None:
            silence = np.zeros((WARM_UP_WINDOWS, CONTEXT + WINDOW), np.float32)
            cold = np.zeros(STATE_SHAPE, np.float32)
            _, self._warm = self.run(silence, (cold, cold))
        return self._warm

    def graph(self) -> SileroGraph:
        """The loaded model. Raises `EngineUnavailable`."""
        with self._lock:
            if self._graph is None:
                self._graph = open_graph(self._path or model_path(), self._runtime, self._cache_dir)
            return self._graph


class SileroStream:
    """Voice activity of one recording; not for two threads at once."""

    def __init__(self, detector: SileroDetector) -> None:
        self._detector = detector
        self._state = detector.warm_state()
        self._held = np.zeros(CONTEXT, np.float32)  # the context, then what is short of a window

    def feed(self, samples: Samples) -> NDArray[np.float32]:
        """Probabilities, shape `(k,)`, one for each window of 512 samples completed by these."""
        held = np.concatenate([self._held, samples.astype(np.float32, copy=False)])
        count = (len(held) - CONTEXT) // WINDOW
        self._held = held[count * WINDOW :].copy()
        if not count:
            return np.zeros(0, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(held, CONTEXT + WINDOW)[::WINDOW]
        return np.concatenate([self._run(windows[at : at + MAX_WINDOWS]) for at in range(0, count, MAX_WINDOWS)])

    def finish(self) -> NDArray[np.float32]:
        """The last window, padded with zeros: shape `(1,)`, or `(0,)` where nothing is left."""
        rest = (len(self._held) - CONTEXT) % WINDOW
        return self.feed(np.zeros(WINDOW - rest, np.float32)) if rest else np.zeros(0, np.float32)

    def _run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        probabilities, self._state = self._detector.run(np.ascontiguousarray(windows), self._state)
        return probabilities


def model_path() -> Path:
    """The model inside the installed distribution, found without importing it. Raises `EngineUnavailable`."""
    spec = find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(place) / MODEL).is_file():
            return path
    raise EngineUnavailable(
        "silero",
        "its model file was not found",
        hint="It comes with the package faster-whisper (1.2.1 or later): install it again, or use --no-vad.",
    )
