"""openvino-genai on a model as optimum-intel exports it: one window after the other, without voice activity detection.

It gives nothing before all of a file is done. The precision of its arithmetic is its own choice unless `options` say:
they are properties of OpenVINO. Keeping its compiled graphs (`CACHE_DIR`) saved no processor time at its start.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

OWN_CHOICE = "its own choice: bf16 where the processor has it, else f32"


class OpenVINOGenAI:
    packages = ("openvino-genai", "openvino", "openvino-tokenizers")
    takes = "samples"
    concurrent = False

    def open(self, wish: dict[str, Any], imported: Callable[[], None]) -> dict[str, Any]:
        library = importlib.import_module("openvino_genai")
        imported()
        how = {"INFERENCE_NUM_THREADS": wish["threads"], **wish["options"]}
        if wish["words"]:
            how["word_timestamps"] = True
        self._pipeline = library.WhisperPipeline(wish["model"], "CPU", **how)
        config = self._pipeline.get_generation_config()
        config.return_timestamps = True
        config.word_timestamps = wish["words"]
        config.num_beams = wish["beam"]
        config.task = "transcribe"
        config.language = f"<|{wish['language']}|>"
        self._config = config
        set_ = {name: getattr(config, name) for name in ("language", "num_beams", "return_timestamps", "do_sample")}
        return {**how, **set_, "precision": how.get("INFERENCE_PRECISION_HINT", OWN_CHOICE), "vad": False}

    def hear(self, sound: Any, first: Callable[[], None]) -> list[dict[str, Any]]:
        result = self._pipeline.generate(sound, self._config)
        first()
        chunks = [{"text": one.text, "start": one.start_ts, "end": one.end_ts} for one in result.chunks or ()]
        chunks = chunks or [{"text": text, "start": 0.0, "end": 0.0} for text in result.texts]
        if chunks:
            chunks[0]["timed_words"] = len(getattr(result, "words", None) or ())
        return chunks


if __name__ == "__main__":
    import peer_loop  # type: ignore[import-not-found]

    peer_loop.serve(OpenVINOGenAI())
