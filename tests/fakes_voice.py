"""Engines that speak without a voice, for tests of the runtime: a tone for each word, and a mark."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from talkie.engines.base import SynthesizeOptions, SynthesizerInfo, Voice
from talkie.types import Mark, SpeechChunk

RATE_HZ, WORD_S = 16_000, 0.25
FAKE_VOICE = SynthesizerInfo(
    "fake-voice",
    "fake",
    ("en", "de"),
    (Voice("anna", ("en",)), Voice("bernd", ("de",)), Voice("af_nova", ("en",))),
    RATE_HZ,
    marks=("word",),
)


@dataclass
class FakeSynthesizer:
    """A synthesiser of tones. `gate` unset holds each word until it is set, `started` says that one is being made;
    `fails` is raised in place of the first word of a text that it names."""

    info: SynthesizerInfo = FAKE_VOICE
    gate: threading.Event | None = None
    fails: dict[str, Exception] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    asked: list[SynthesizeOptions] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    closed: bool = False
    started: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)

    def synthesize(self, text: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        self.texts.append(text)
        self.asked.append(options)
        try:
            for number, word in enumerate(text.split()):
                self.started.set()
                if self.gate is not None:
                    assert self.gate.wait(20)
                if text in self.fails:
                    raise self.fails[text]
                self.words.append(word)
                yield SpeechChunk(tone(), RATE_HZ, (Mark("word", word, number * WORD_S, (number + 1) * WORD_S),))
        finally:
            self.left.set()

    def close(self) -> None:
        self.closed = True


def tone(seconds: float = WORD_S) -> np.ndarray:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (0.4 * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32)
