"""A service that speaks without an engine, for tests of the doors: a tone for each word, and its marks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np

from talkie.errors import TalkieError, VoiceExists, VoiceNotFound
from talkie.runtime.cancel import CancelToken
from talkie.runtime.speech import SpeakRequest, VoiceCard
from talkie.types import Mark, SpeechChunk

RATE_HZ = 22_050
WORD_S = 0.2
BUILT_IN = (
    VoiceCard("en-us", "en-us", ("en",), "fake-voice", "fake"),
    VoiceCard("de", "de", ("de",), "fake-voice", "fake"),
)


class FakeSpeakService:
    """`asked` is what came, `spoken` how many words were; `speak_raises` comes before the first piece, `speak_breaks`
    after it; `word_wait_s` passes before each word, so that leaving in the midst can be seen."""

    def __init__(
        self,
        *,
        speak_raises: TalkieError | None = None,
        speak_breaks: Exception | None = None,
        word_wait_s: float = 0.0,
    ) -> None:
        self.speak_raises, self.speak_breaks, self.word_wait_s = speak_raises, speak_breaks, word_wait_s
        self.asked: list[SpeakRequest] = []
        self.spoken = 0
        self.cloned: dict[str, tuple[VoiceCard, str, bytes]] = {}
        self.speech_stopped = threading.Event()

    def speak(
        self, request: SpeakRequest, cancel: CancelToken | None = None, *, pieces: Iterable[str] | None = None
    ) -> Iterator[SpeechChunk]:
        self.asked.append(request)
        if self.speak_raises is not None:
            raise self.speak_raises
        words = (word for piece in (pieces if pieces is not None else [request.text]) for word in piece.split())
        return self._say(words, request, cancel or CancelToken())

    def _say(self, words: Iterable[str], request: SpeakRequest, cancel: CancelToken) -> Iterator[SpeechChunk]:
        try:
            for number, word in enumerate(words):
                time.sleep(self.word_wait_s)
                cancel.check()
                yield _tone(number, word, request)
                self.spoken += 1
                if self.speak_breaks is not None:
                    raise self.speak_breaks
        finally:
            self.speech_stopped.set()

    def voices(self, owner: str | None = None) -> list[VoiceCard]:
        mine = [card for card, theirs, _ in self.cloned.values() if owner in (None, theirs)]
        return [*BUILT_IN, *mine]

    def add_voice(
        self, name: str, recording: IO[bytes], *, language: str = "en", owner: str = "", consent: str = ""
    ) -> VoiceCard:
        if name in self.cloned:
            raise VoiceExists(name)
        card = VoiceCard(name, name, (language,), "fake-voice", "fake", cloned=True)
        self.cloned[name] = card, owner, recording.read()
        return card

    def remove_voice(self, voice: str, *, owner: str | None = None) -> None:
        if voice not in self.cloned or owner not in (None, self.cloned[voice][1]):
            raise VoiceNotFound(voice)
        del self.cloned[voice]


def _tone(number: int, word: str, request: SpeakRequest) -> SpeechChunk:
    at_s, end_s = number * WORD_S, (number + 1) * WORD_S
    samples = 0.5 * np.sin(np.arange(round(WORD_S * RATE_HZ)) * (2 * np.pi * 440 / RATE_HZ))
    marks = [Mark("word", word, at_s, end_s)]
    if request.visemes:
        marks.append(Mark("viseme", "A", at_s, end_s, estimated=True))
    return SpeechChunk(samples.astype(np.float32), RATE_HZ, tuple(marks), request.generation)
