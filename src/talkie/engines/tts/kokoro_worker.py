"""Kokoro as it runs inside a worker process: text to phonemes by espeak-ng, phonemes to sound by `kokoro-onnx`.

Knows nothing of pools; `kokoro.py` has checked voices and numbers. The library's own way from text to phonemes leaves
espeak's marks of a language switch, `(en)`, in the text, where they are spoken; so it is asked without them here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np

from talkie.engines.tts.onnx_pieces import Marks, Part, Pieces, Samples, session, spoken_words

_SENTENCE_PAUSE_S, _CLAUSE_PAUSE_S = 0.25, 0.1
_TIES = frozenset("͜͡‿.|‖ˑ")
_SPELLINGS = {"g": "ɡ", "'": "ˈ", ":": "ː"}  # noqa: RUF001  (IPA has letters of its own)


class KokoroTask:
    """The worker task: `hello`, then `speak` and as many `more` as its replies ask for."""

    def __init__(self, model: str, voices: str, threads: int, device: str) -> None:
        from kokoro_onnx import Kokoro

        self._broken, self._device = "", "cpu"
        self._pieces: Pieces | None = None
        try:
            graph = session(model, threads, device)
            self._device = "cuda" if "CUDAExecutionProvider" in graph.get_providers() else "cpu"
            self._kokoro: Any = Kokoro.from_session(graph, voices)
            self._rate = 24_000
        except Exception as error:  # the library raises what it meets; which file it was is known here
            self._broken = f"{model.rpartition('/')[2]} or its voices cannot be loaded ({type(error).__name__})."

    def handle(self, op: str, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        if self._broken:
            return {"broken": self._broken}, b""
        if op == "hello":
            return {"device": self._device}, b""
        if op == "speak":
            text = bytes(payload).decode()
            try:
                phonemes = self._ipa(text) if args["phonemes"] else self._phonemes(text, args["language"])
            except ValueError as error:
                return {"unsayable": str(error)}, b""
            self._pieces = Pieces(self._parts(text, phonemes, args), self._rate, args["volume"])
        if self._pieces is None:
            return {"marks": [], "more": False}, b""
        values, samples = self._pieces.reply()
        if not values["more"]:
            self._pieces = None
        return values, samples

    def _parts(self, text: str, phonemes: str, args: dict[str, Any]) -> Iterator[Part]:
        """At most as many phonemes at once as the model takes, with the pause of its last sign after each batch."""
        from kokoro_onnx.chunker import pause_after

        measure = (lambda word: word) if args["phonemes"] else (lambda word: self._phonemes(word, args["language"]))
        marks = Marks(spoken_words(text), phonemes, measure)
        batches = self._kokoro._split_phonemes(phonemes)
        for number, batch in enumerate(batches):
            if not any(letter.isalpha() for letter in batch):
                continue
            samples, _, timings = self._kokoro.create_timed(
                batch, args["voice"], args["speed"], is_phonemes=True, sentence_pause=0.0, clause_pause=0.0
            )
            symbols = [(timing.phoneme, timing.start, timing.end) for timing in timings]
            made = marks.rows(symbols)
            last = number == len(batches) - 1
            pause_s = 0.0 if last else pause_after(batch, _SENTENCE_PAUSE_S, _CLAUSE_PAUSE_S)
            yield _followed_by(samples, pause_s, self._rate), made

    def _phonemes(self, text: str, language: str) -> str:
        import phonemizer  # type: ignore[import-untyped]

        if not text.strip():
            return ""
        said = phonemizer.phonemize(
            text, language, preserve_punctuation=True, with_stress=True, language_switch="remove-flags"
        )
        vocabulary = self._kokoro.tokenizer.vocab
        return " ".join("".join(letter for letter in said if letter in vocabulary or letter.isspace()).split())

    def _ipa(self, text: str) -> str:
        """IPA in the model's own letters. Raises `ValueError` with one that it does not know."""
        vocabulary = self._kokoro.tokenizer.vocab
        known: list[str] = []
        for letter in unicodedata.normalize("NFC", text):
            letter = _SPELLINGS.get(letter, letter)
            plain = [letter] if letter in vocabulary else unicodedata.normalize("NFD", letter)
            for one in plain:
                if one in vocabulary or one.isspace():
                    known.append(" " if one.isspace() else one)
                elif one not in _TIES and unicodedata.category(one) not in ("Mn", "Lm", "Sk"):
                    raise ValueError(one)
        return " ".join("".join(known).split())


def _followed_by(samples: Any, pause_s: float, rate: int) -> Samples:
    plain = np.asarray(samples, np.float32).ravel()
    return np.concatenate([plain, np.zeros(round(pause_s * rate), np.float32)]) if pause_s else plain
