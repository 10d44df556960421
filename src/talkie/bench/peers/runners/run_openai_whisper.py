"""openai-whisper, the original, in FP32 (FP16 on a GPU): one window after the other, without voice activity detection.

It gives nothing before all of a file is done.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


class OpenAIWhisper:
    packages = ("openai-whisper", "torch", "numba")
    takes = "samples"
    concurrent = False

    def open(self, wish: dict[str, Any], imported: Callable[[], None]) -> dict[str, Any]:
        library = importlib.import_module("whisper")
        torch = importlib.import_module("torch")
        imported()
        torch.set_num_threads(wish["threads"])
        device = wish.get("device", "cpu")
        (weights,) = sorted(Path(wish["model"]).glob("*.pt"))[:1]
        self._model = library.load_model(str(weights), device=device)
        self._how = {
            "language": wish["language"],
            "beam_size": wish["beam"] if wish["beam"] > 1 else None,
            "temperature": 0.0,
            "compression_ratio_threshold": None,
            "logprob_threshold": None,
            "no_speech_threshold": None,
            "condition_on_previous_text": False,
            "word_timestamps": wish["words"],
            "fp16": device != "cpu",
            **wish["options"],
        }
        return {"device": device, **self._how, "threads": torch.get_num_threads(), "vad": False}

    def hear(self, sound: Any, first: Callable[[], None]) -> list[dict[str, Any]]:
        segments = self._model.transcribe(sound, **self._how)["segments"]
        first()
        return [
            {"text": one["text"], "start": one["start"], "end": one["end"], "timed_words": len(one.get("words", ()))}
            for one in segments
        ]


if __name__ == "__main__":
    import peer_loop  # type: ignore[import-not-found]

    peer_loop.serve(OpenAIWhisper())
