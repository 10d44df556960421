"""Talkie itself, through the service that every door uses; all clients at once.

`options` are fields of `ServiceConfig` by name; with `home` among them, what Talkie prepares once for a model is found
again at the next start, else that place is new and empty each time. The decoding is that of all peers: no fallback to
other temperatures, no filter of phrases, no threshold that skips a window. So many processors are as many workers of
one thread each, unless `options` say otherwise.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

PRESET = "as-the-peers"
AT_ONCE = 256


class Talkie:
    packages = ("talkie", "openvino", "ctranslate2", "onnxruntime")
    takes = "path"
    concurrent = True

    def open(self, wish: dict[str, Any], imported: Callable[[], None]) -> dict[str, Any]:
        from talkie.engines.base import PRESETS, DecodingOptions
        from talkie.runtime.config import ServiceConfig
        from talkie.runtime.requests import TranscribeRequest
        from talkie.runtime.service import Service

        imported()
        PRESETS[PRESET] = DecodingOptions(
            beam_size=wish["beam"],
            best_of=1,
            temperatures=(0.0,),
            compression_ratio_threshold=None,
            log_prob_threshold=None,
            no_speech_threshold=None,
        )
        values = {
            "home": Path(wish["options"].get("home") or self._new_home()),
            "model": wish["model"],
            "compute_type": wish["compute_type"],
            "device": wish.get("device", "cpu"),
            "threads": 1,
            "workers": wish["threads"] * wish["workers"],
            "concurrency": AT_ONCE,
            "queue_size": AT_ONCE,
            **{name: value for name, value in wish["options"].items() if name != "home"},
        }
        self._service = Service(ServiceConfig(**values, allow_paths=True))
        self._service.warm()
        ready = self._service.ready()
        if not ready.ok:
            raise RuntimeError(f"it did not become ready: {ready.parts}")
        asked = {"language": wish["language"], "words": wish["words"], "vad": wish["vad"], "filters": False}
        self._request = TranscribeRequest(model=wish["model"], preset=PRESET, **asked)
        shown = {name: value for name, value in values.items() if name not in ("home", "model")}
        return {**shown, **asked, "beam": wish["beam"]}

    def _new_home(self) -> str:
        self._home = tempfile.TemporaryDirectory(prefix="talkie-bench-")
        return self._home.name

    def hear(self, sound: Any, first: Callable[[], None]) -> list[dict[str, Any]]:
        from talkie.types import Segment

        found = []
        for event in self._service.transcribe(Path(sound), self._request):
            if isinstance(event, Segment):
                first()
                words = len(event.words or ())
                found.append({"text": event.text, "start": event.start_s, "end": event.end_s, "timed_words": words})
        return found


if __name__ == "__main__":
    import peer_loop  # type: ignore[import-not-found]

    peer_loop.serve(Talkie())
