"""The built-in voice: espeak-ng in worker processes, for its state is global and it knows no threads.

Over a hundred languages, robotic and quick; word and phoneme marks come with the sound. Knows nothing of sentences,
file formats or requests; `espeak_worker.py` is the other end.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np

from talkie.engines.base import SynthesizeOptions, SynthesizerInfo, Voice
from talkie.engines.workers import Lease, Reply, WorkerLost, WorkerPool, WorkerSpec
from talkie.errors import InvalidValue, UnsupportedByModel
from talkie.types import Mark, SpeechChunk

MAX_TEXT_CHARACTERS = 4096
SPEEDS = (0.25, 4.0)
_NORMAL_WORDS_PER_MINUTE = 175
_WORDS_PER_MINUTE = (80, 450)  # what espeak-ng accepts
PITCHES, VOLUMES = (0.5, 2.0), (0.0, 2.0)
_NORMAL_PITCH, _PITCH_OF_AN_OCTAVE, _HIGHEST_PITCH = 50, 50, 99
LOUDEST = 0.98
"""Of the peak, where a text is to be louder than that would be: the library itself would clip."""
_ARENA_BYTES = 1 << 20
_TASK = "talkie.engines.tts.espeak_worker:EspeakTask"
_WORD = re.compile(r"\S+")
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
            languages=tuple(sorted({*_DEFAULTS, *(code.split("-")[0] for code in catalog.languages_of)})),
            voices=tuple(Voice(name, languages) for name, languages in catalog.languages_of.items()),
            sample_rate=catalog.sample_rate,
            marks=("word", "phoneme"),
            max_characters=MAX_TEXT_CHARACTERS,
            workers=self._pool.size,
            pitch=True,
            phonemes=True,
            inline_phonemes=True,
        )

    @property
    def variants(self) -> tuple[str, ...]:
        """What may follow a voice and a plus sign: `en-us+f3`."""
        return tuple(sorted(self._catalog.variants))

    def ready(self) -> bool:
        return self._pool.ready()

    def synthesize(self, text: str, options: SynthesizeOptions) -> Iterator[SpeechChunk]:
        """Speech in pieces of five seconds or less; a mark is in the piece in which it begins.

        Raises `InvalidValue` for a voice, speed, pitch or volume there is none of, or more than 4096 characters;
        `UnsupportedByModel` for a language without a voice: at once, before anything is spoken. A phoneme that the
        voice cannot say is `InvalidValue` with the first piece.
        """
        if len(text) > MAX_TEXT_CHARACTERS:
            raise InvalidValue("input", f"The text has {len(text)} characters; {MAX_TEXT_CHARACTERS} are the most.")
        for name, (low, high) in (("speed", SPEEDS), ("pitch", PITCHES), ("volume", VOLUMES)):
            if not low <= getattr(options, name) <= high:
                raise InvalidValue(name, f"The {name} must be from {low:g} to {high:g}.")
        return self._speak(speakable(text), self._arguments(text, options))

    def _arguments(self, text: str, options: SynthesizeOptions) -> dict[str, Any]:
        """What the worker is told beside the text."""
        slowest, quickest = _WORDS_PER_MINUTE
        spans = [(match.start(), match.end(), match[0]) for match in _WORD.finditer(text)]
        pitch = round(_NORMAL_PITCH + _PITCH_OF_AN_OCTAVE * math.log2(options.pitch))
        return {
            "voice": self._voice(options),
            "words_per_minute": round(min(max(_NORMAL_WORDS_PER_MINUTE * options.speed, slowest), quickest)),
            "pitch": min(pitch, _HIGHEST_PITCH),
            "volume": options.volume,
            "phonemes": spans if options.phonemes else list(options.inline),
        }

    def close(self) -> None:
        self._pool.close()

    def _speak(self, text: str, args: dict[str, Any]) -> Iterator[SpeechChunk]:
        for last_try in (False, True):  # nothing is heard until the first reply, so it may be tried once more
            with self._pool.lease() as lease:
                try:
                    reply = lease.ask("speak", args, text.encode())
                except WorkerLost:
                    if last_try:
                        raise
                    continue
                yield from self._chunks(lease, reply, args["volume"])
                return

    def _chunks(self, lease: Lease, reply: Reply, volume: float) -> Iterator[SpeechChunk]:
        if symbol := reply.values.get("unsayable"):
            raise InvalidValue("input", f"espeak has no sound for {symbol[:8]!r}.", hint="Phonemes are written in IPA.")
        gain = min(volume, LOUDEST * 32768 / max(1, reply.values["peak"])) if volume > 1 else volume
        while True:
            samples = np.frombuffer(reply.payload, np.int16).astype(np.float32) * np.float32(gain / 32768)
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
            return self._voice_for(options.language)
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
        """The voice of a tag such as `de-DE`: its own, else that of the language before the hyphen."""
        tag = language.lower().replace("_", "-")
        for wanted in (tag, tag.partition("-")[0]):
            if (name := self._speaker_of(wanted)) is not None:
                return name
        raise UnsupportedByModel("language", f"espeak has no voice for the language {language[:40]!r}.")

    def _speaker_of(self, language: str) -> str | None:
        known = self._catalog.languages_of
        for candidate in (_DEFAULTS.get(language, language), language):
            if candidate in known:
                return candidate
        named = (name for name, languages in known.items() if language in languages or language == name.split("-")[0])
        return next(named, None)


def speakable(text: str) -> str:
    """The text without what ends a C string or is no character: control, private and unpaired surrogate codes."""
    return "".join(" " if unicodedata.category(letter) in _UNSPEAKABLE else letter for letter in text)
