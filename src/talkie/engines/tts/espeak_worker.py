"""espeak-ng as it runs inside a worker process: text in, 16-bit PCM and timed marks out, a few seconds a reply.

Knows nothing of pools, voice names to be refused or the text's length: `espeak.py` has checked all that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkie.engines.tts.espeak_library import EspeakLibrary, SpeechEvent

REPLY_S = 5.0
Row = tuple[str, str, float, float]
"""Kind (`word` or `phoneme`), text, start and end in seconds of the utterance."""


class EspeakTask:
    """The worker task: `voices`, then `speak` and as many `more` as its replies ask for."""

    def __init__(self) -> None:
        self._library = EspeakLibrary()
        # By identifier, because espeak-ng lists a few names (`en-gb`, `fr-fr`) that it then cannot find.
        self._identifiers: dict[str, str] = {}
        for voice in self._library.voices():
            self._identifiers.setdefault(voice.languages[0], voice.identifier)
        self._samples: NDArray[np.int16] = np.zeros(0, np.int16)
        self._rows: list[Row] = []
        self._at = 0

    def handle(self, op: str, args: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], Any]:
        if op == "voices":
            return self._voices(), b""
        if op == "speak":
            self._speak(bytes(payload).decode(), args["voice"], args["words_per_minute"])
        return self._next()

    def _voices(self) -> dict[str, Any]:
        return {
            "voices": [(voice.languages[0], list(voice.languages)) for voice in self._library.voices()],
            "variants": self._library.variants(),
            "sample_rate": self._library.sample_rate_hz,
        }

    def _speak(self, text: str, voice: str, words_per_minute: int) -> None:
        name, plus, variant = voice.partition("+")
        self._library.set_voice(f"{self._identifiers[name]}{plus}{variant}")
        self._library.set_rate(words_per_minute)
        speech = self._library.speak(text)
        self._samples, self._at = speech.samples, 0
        self._rows = sorted(marks(speech.events, text, len(speech.samples) / speech.sample_rate_hz), key=_start)

    def _next(self) -> tuple[dict[str, Any], Any]:
        """The next few seconds and the marks that begin in them; a mark is never in two replies."""
        part = self._samples[self._at : self._at + int(REPLY_S * self._library.sample_rate_hz)]
        self._at += len(part)
        more = self._at < len(self._samples)
        end_s = self._at / self._library.sample_rate_hz
        now = [row for row in self._rows if not more or row[2] < end_s]
        self._rows = self._rows[len(now) :]
        return {"marks": now, "more": more}, part


def marks(events: Sequence[SpeechEvent], text: str, duration_s: float) -> Iterator[Row]:
    """Words and phonemes with start and end. Each ends where the next one, a pause or the end of a clause begins."""
    for kind, ends in (("word", ("word", "sentence", "end")), ("phoneme", ("phoneme", "end"))):
        edges = [event for event in events if event.kind in ends]
        for event, following in zip(edges, [*edges[1:], None], strict=True):
            name = text[event.text_position : event.text_position + event.length] if kind == "word" else event.phoneme
            if event.kind == kind and name:
                end_s = following.time_s if following else duration_s
                yield kind, name, event.time_s, max(min(end_s, duration_s), event.time_s)


def _start(row: Row) -> float:
    return row[2]
