"""faster-whisper, one window after the other (`batch` 0) or batched. Its greedy path, with no fallback.

Batched it needs its own voice activity detection and writes no timestamps unless told to: that is its default and its
fastest, so it stays.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


class FasterWhisper:
    packages = ("faster-whisper", "ctranslate2", "onnxruntime")
    takes = "path"
    concurrent = False

    def open(self, wish: dict[str, Any], imported: Callable[[], None]) -> dict[str, Any]:
        library = importlib.import_module("faster_whisper")
        imported()
        batch = int(wish["batch"])
        model = library.WhisperModel(
            wish["model"],
            device=wish.get("device", "cpu"),
            compute_type=wish["compute_type"],
            cpu_threads=wish["threads"],
            num_workers=wish["workers"],
            local_files_only=True,
        )
        if wish["vad"] or batch:  # ready is who has loaded all that the work needs, as everybody else here does
            importlib.import_module("faster_whisper.vad").get_vad_model()
        self._settings = {
            "language": wish["language"],
            "beam_size": wish["beam"],
            "temperature": 0.0,
            "compression_ratio_threshold": None,
            "log_prob_threshold": None,
            "no_speech_threshold": None,
            "condition_on_previous_text": False,
            "word_timestamps": wish["words"],
            "vad_filter": wish["vad"],
            **({"batch_size": batch} if batch else {}),
            **wish["options"],
        }
        self._transcribe = (library.BatchedInferencePipeline(model) if batch else model).transcribe
        made = {
            "device": model.model.device,
            "compute_type": model.model.compute_type,
            "cpu_threads": wish["threads"],
            "workers": wish["workers"],
        }
        return {"batched": bool(batch), **made, **self._settings}

    def hear(self, sound: Any, first: Callable[[], None]) -> list[dict[str, Any]]:
        found = []
        for segment in self._transcribe(sound, **self._settings)[0]:
            first()
            words = len(segment.words or ())
            found.append({"text": segment.text, "start": segment.start, "end": segment.end, "timed_words": words})
        return found


if __name__ == "__main__":
    import peer_loop  # type: ignore[import-not-found]

    peer_loop.serve(FasterWhisper())
