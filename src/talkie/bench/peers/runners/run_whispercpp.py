"""whisper.cpp through pywhispercpp: FP16 weights, one window after the other, without voice activity detection.

`n_max_text_ctx` 0, else the words before become a prompt. With words it makes a segment of each of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


class WhisperCpp:
    packages = ("pywhispercpp",)
    takes = "samples"
    concurrent = False

    def open(self, wish: dict[str, Any], imported: Callable[[], None]) -> dict[str, Any]:
        library = importlib.import_module("pywhispercpp.model")
        imported()
        context = {"use_gpu": False, **wish["options"]}
        words = {"token_timestamps": True, "max_len": 1, "split_on_word": True} if wish["words"] else {}
        search: dict[str, Any] = {"greedy": {"best_of": 1}}
        if wish["beam"] > 1:
            search = {"beam_search": {"beam_size": wish["beam"], "patience": -1.0}}
        how = {
            "language": wish["language"],
            "n_threads": wish["threads"],
            "n_max_text_ctx": 0,
            "temperature_inc": 0.0,
            "logprob_thold": -100.0,
            "entropy_thold": 0.0,
            "no_speech_thold": 1.0,
            "print_progress": False,
            **search,
            **words,
        }
        (weights,) = sorted(Path(wish["model"]).glob("*.bin"))[:1]
        self._timed = int(wish["words"])
        self._model = library.Model(
            str(weights), params_sampling_strategy=int(wish["beam"] > 1), context_params=context, **how
        )
        return {**how, **context, "vad": False}

    def hear(self, sound: Any, first: Callable[[], None]) -> list[dict[str, Any]]:
        segments = self._model.transcribe(sound, new_segment_callback=lambda _segment: first())
        return [
            {"text": one.text, "start": one.t0 / 100, "end": one.t1 / 100, "timed_words": self._timed}
            for one in segments
        ]


if __name__ == "__main__":
    import peer_loop  # type: ignore[import-not-found]

    peer_loop.serve(WhisperCpp())
