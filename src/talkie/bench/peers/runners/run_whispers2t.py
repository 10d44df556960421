"""WhisperS2T on CTranslate2, with its own voice activity detection and its fast options, but no repetition penalty.

It writes no timestamps within a window, wants paths of files and an `ffmpeg` program at import, and gives nothing
before all of a file is done, so its first segment comes with its last. It aligns words by a second model that it
downloads, so words with times are not asked of it here.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


class WhisperS2T:
    packages = ("whisper-s2t", "ctranslate2", "torch")
    takes = "path"
    concurrent = False

    def open(self, wish: dict[str, Any], imported: Callable[[], None]) -> dict[str, Any]:
        if wish["words"]:
            raise ValueError("it takes its word times from a second model that it downloads")
        library = importlib.import_module("whisper_s2t")
        importlib.import_module("whisper_s2t.backends.ctranslate2.model")  # else the first load would import it
        imported()
        decoding = {"beam_size": wish["beam"], "patience": 1, "repetition_penalty": 1}
        made = {
            "device": wish.get("device", "cpu"),
            "compute_type": wish["compute_type"],
            "cpu_threads": wish["threads"],
            "num_workers": wish["workers"],
            "n_mels": _mels(wish["model"]),
            "asr_options": decoding,
            **wish["options"],
        }
        self._model = library.load_model(wish["model"], backend="CTranslate2", **made)
        self._how: dict[str, Any] = {
            "lang_codes": [wish["language"]],
            "tasks": ["transcribe"],
            "initial_prompts": [None],
            "batch_size": max(1, int(wish["batch"])),
        }
        self._hear = self._model.transcribe_with_vad if wish["vad"] else self._model.transcribe
        return {**made, **self._how, "vad": wish["vad"], "max_speech_len": self._model.max_speech_len}

    def hear(self, sound: Any, first: Callable[[], None]) -> list[dict[str, Any]]:
        (segments,) = self._hear([sound], **self._how)
        first()
        return [{"text": one["text"], "start": one["start_time"], "end": one["end_time"]} for one in segments]


def _mels(directory: str) -> int:
    """80, or the `feature_size` of the model's preprocessor."""
    path = Path(directory) / "preprocessor_config.json"
    return int(json.loads(path.read_text(encoding="utf-8")).get("feature_size", 80)) if path.exists() else 80


if __name__ == "__main__":
    import peer_loop  # type: ignore[import-not-found]

    peer_loop.serve(WhisperS2T())
