"""A Piper voice as it runs inside a worker process: `piper-tts` makes phonemes and sound, sentence by sentence.

Knows nothing of pools; `piper.py` has checked speakers and numbers. This is the only place that imports `piper`, which
is under the GPL: it stays in a process of its own.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from talkie.engines.tts.onnx_graph import with_output
from talkie.engines.tts.onnx_pieces import Marks, Part, Pieces, Symbol, group_sizes, session, spoken_words

_FRAMES = frozenset("^$_")


class PiperTask:
    """The worker task: `hello`, then `speak` and as many `more` as its replies ask for.

    `lengths` is the result in the graph that says how long phonemes last, where that is not an output already.
    """

    def __init__(self, model: str, config: str, lengths: str, threads: int, device: str) -> None:
        from piper import PiperVoice
        from piper.config import PiperConfig

        self._broken, self._device = "", "cpu"
        self._pieces: Pieces | None = None
        try:
            settings = PiperConfig.from_dict(json.loads(Path(config).read_bytes()))
            graph = session(with_output(Path(model).read_bytes(), lengths) if lengths else model, threads, device)
            self._device = "cuda" if "CUDAExecutionProvider" in graph.get_providers() else "cpu"
            self._voice: Any = PiperVoice(session=graph, config=settings)
        except Exception as error:  # the library raises what it meets; which file it was is known here
            self._broken = f"{model.rpartition('/')[2]} or its JSON cannot be loaded ({type(error).__name__})."

    def handle(self, op: str, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        if self._broken:
            return {"broken": self._broken}, b""
        if op == "hello":
            return {"device": self._device}, b""
        if op == "speak":
            text = bytes(payload).decode()
            if args["phonemes"] and (symbol := self._unknown(text)):
                return {"unsayable": symbol}, b""
            self._pieces = Pieces(self._parts(text, args), self._voice.config.sample_rate, args["volume"])
        if self._pieces is None:
            return {"marks": [], "more": False}, b""
        values, samples = self._pieces.reply()
        if not values["more"]:
            self._pieces = None
        return values, samples

    def _parts(self, text: str, args: dict[str, Any]) -> Iterator[Part]:
        from piper.config import SynthesisConfig

        plain = unicodedata.normalize("NFD", " ".join(text.replace("[", " ").replace("]", " ").split()))
        if not plain:
            return
        given = f"[[{plain}]]" if args["phonemes"] else text.replace("[[", "[ [")
        phonemes = [one for sentence in self._voice.phonemize(given) for one in (*sentence, " ")]
        measure = (lambda word: word) if args["phonemes"] else self._measured
        marks = Marks(spoken_words(text), phonemes, measure)
        settings = SynthesisConfig(
            speaker_id=args["speaker"], length_scale=self._voice.config.length_scale / args["speed"]
        )
        for sentence in self._voice.synthesize(given, settings, include_alignments=True):
            if group_sizes(sentence.phonemes):
                yield sentence.audio_float_array, marks.rows(self._symbols(sentence))

    def _measured(self, word: str) -> str:
        return "".join(one for sentence in self._voice.phonemize(word) for one in sentence)

    def _symbols(self, sentence: Any) -> list[Symbol]:
        symbols: list[Symbol] = []
        at = 0
        for alignment in sentence.phoneme_alignments or ():
            after = at + int(alignment.num_samples)
            if alignment.phoneme not in _FRAMES:
                symbols.append((alignment.phoneme, at / sentence.sample_rate, after / sentence.sample_rate))
            at = after
        return symbols

    def _unknown(self, text: str) -> str:
        """A symbol that the voice was not taught."""
        known = self._voice.config.phoneme_id_map
        return next((one for one in unicodedata.normalize("NFD", text) if one not in known and not one.isspace()), "")
