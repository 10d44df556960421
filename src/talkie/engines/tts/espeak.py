"""The built-in voice: espeak-ng in worker processes, for its state is global and it knows no threads.

Over a hundred languages, robotic and quick; word and phoneme marks come with the sound. Knows nothing of sentences,
file formats or requests; `espeak_worker.py` is the other end.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

import numpy as np

from talkie.engines.base import SynthesizeOptions, SynthesizerInfo, Voice
from talkie.engines.workers import Lease, Reply, WorkerLost, WorkerPool, WorkerSpec
from talkie.errors import InvalidValue, UnsupportedByModel
from talkie.types import Mark, SpeechChunk

MAX_TEXT_CHARACTERS = 4096
SPEEDS = (0.25, 4.0)
_NORMAL_WORDS_PER_MINUTE = 175
_WORDS_PER_MINUTE = (80, 450)  # what espeak-ng accepts
_ARENA_BYTES = 1 << 20
_TASK = "talkie.engines.tts.espeak_worker:EspeakTask"
_UNSPEAKABLE = frozenset({"Cc", "Cs", "Co", "Cn"})
_DEFAULTS = {"en": "en-us", "fr": "fr-fr", "es": "es", "pt": "pt-br", "zh": "cmn"}


@dataclass(frozen=True, slots=True)
class _Catalog:
    """What the library can say: the first language code of each voice names it."""

    languages_of: dict[str, tuple[str, ...]]
    variants: frozenset[str]
    sample_rate: int


class EspeakSynthesizer:
    """Synthesiser. Up to `workers` texts are spoken at once; safe to call from several threads."""

    def __init__(self, *, workers: int = 1) -> None:
        self._pool = WorkerPool(WorkerSpec("espeak", _TASK, arena_bytes=_ARENA_BYTES), workers=workers)

    @property
    def info(self) -> SynthesizerInfo:
        """Asks the worker once, which takes a fraction of a second; `voices` are without their variants (`+f3`)."""
        return self._info

    @cached_property
    def _info(self) -> SynthesizerInfo:
        catalog = self._catalog
        return SynthesizerInfo(
            name="espeak",
            engine="espeak",
            languages=tuple(sorted({code.split("-")[0] for code in catalog.languages_of})),
            voices=tuple(Voice(name, languages) for name, languages in catalog.languages_of.items()),
            sample_rate=catalog.sample_rate,
            marks=("word", "phoneme"),
        )

    @property
    def variants(self) -> tuple[str, ...]:
        """What may follow a voice and a plus sign: `en-us+f3`."""
        return tuple(sorted(self._catalog.variants))

    def ready(self) -> bool:
        return self._pool.ready()

    def synthesize(self, text: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        """Speech in pieces of five seconds or less; a mark is in the piece in which it begins.

        Raises `InvalidValue` for a voice or speed there is none of, or more than 4096 characters;
        `UnsupportedByModel` for a language without a voice: both at once, before anything is spoken.
        """
        if len(text) > MAX_TEXT_CHARACTERS:
            raise InvalidValue("input", f"The text has {len(text)} characters; {MAX_TEXT_CHARACTERS} are the most.")
        if not SPEEDS[0] <= options.speed <= SPEEDS[1]:
            raise InvalidValue("speed", f"The speed must be from {SPEEDS[0]:g} to {SPEEDS[1]:g}.")
        low, high = _WORDS_PER_MINUTE
        rate = round(min(max(_NORMAL_WORDS_PER_MINUTE * options.speed, low), high))
        return self._speak(speakable(text), self._voice(options), rate)

    def close(self) -> None:
        self._pool.close()

    def _speak(self, text: str, voice: str, words_per_minute: int) -> Iterator[SpeechChunk]:
        args = {"voice": voice, "words_per_minute": words_per_minute}
        for last_try in (False, True):  # nothing is heard until the first reply, so it may be tried once more
            with self._pool.lease() as lease:
                try:
                    reply = lease.ask("speak", args, text.encode())
                except WorkerLost:
                    if last_try:
                        raise
                    continue
                yield from self._chunks(lease, reply)
                return

    def _chunks(self, lease: Lease, reply: Reply) -> Iterator[SpeechChunk]:
        while True:
            samples = np.frombuffer(reply.payload, "<i2").astype(np.float32) / 32768.0
            marks = tuple(Mark(kind, text, start_s, end_s) for kind, text, start_s, end_s in reply.values["marks"])
            yield SpeechChunk(samples, self._catalog.sample_rate, marks)
            if not reply.values["more"]:
                return
            reply = lease.ask("more")

    @cached_property
    def _catalog(self) -> _Catalog:
        values = self._pool.call("voices").values
        languages_of: dict[str, tuple[str, ...]] = {}
        for name, languages in values["voices"]:
            languages_of.setdefault(name, tuple(languages))
        return _Catalog(languages_of, frozenset(values["variants"]), values["sample_rate"])

    def _voice(self, options: SynthesizeOptions) -> str:
        """The voice asked for, from the closed list, or the one for the language."""
        if not options.voice:
            return self._voice_for(options.language.lower())
        name, plus, variant = options.voice.partition("+")
        known = self._catalog.languages_of
        if name in known and (not plus or variant in self._catalog.variants):
            return options.voice
        wrong, choices = (name, known) if name not in known else (variant, self._catalog.variants)
        near = ", ".join(get_close_matches(wrong[:40], list(choices), 3, 0.3))
        raise InvalidValue(
            "voice", f"espeak has no voice {options.voice[:40]!r}.", hint=f"Near it: {near}." if near else ""
        )

    def _voice_for(self, language: str) -> str:
        known = self._catalog.languages_of
        for candidate in (_DEFAULTS.get(language, language), language):
            if candidate in known:
                return candidate
        for name, languages in known.items():
            if language in languages or language == name.split("-")[0]:
                return name
        raise UnsupportedByModel("language", f"espeak has no voice for the language {language[:40]!r}.")


def speakable(text: str) -> str:
    """The text without what ends a C string or is no character: control, private and unpaired surrogate codes."""
    return "".join(" " if unicodedata.category(letter) in _UNSPEAKABLE else letter for letter in text)
