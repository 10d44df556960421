"""openvino-genai on a model as optimum-intel exports it: one window after the other, without voice activity detection.

With the option `keep_compiled` it keeps its compiled graphs beside the model, which shortens every start but the
first. It gives nothing before all of a file is done. The precision of its arithmetic is its own choice unless
`options` say.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


class OpenVINOGenAI:
    packages = ("openvino-genai", "openvino", "openvino-tokenizers")
    takes = "samples"
    concurrent = False

    def open(self, wish: dict[str, Any], imported: Callable[[], None]) -> dict[str, Any]:
        library = importlib.import_module("openvino_genai")
        imported()
        options = dict(wish["options"])
        kept = {"CACHE_DIR": str(Path(wish["model"]) / ".compiled")} if options.pop("keep_compiled", False) else {}
        how = {"INFERENCE_NUM_THREADS": wish["threads"], **kept, **options}
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
        return {**how, **set_, "max_new_tokens": int(config.get_max_new_tokens(0)), "vad": False}

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
