"""Which model speaks, and with which of its voices: from what a request says to one choice. Nothing is loaded for it.

Knows nothing of queues or sound. What an engine can do it says itself (`describe`), from its files alone.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from talkie.engines import registry
from talkie.errors import TalkieError, UnsupportedByModel, VoiceNotFound
from talkie.models.stored import BUILT_IN, StoredModel
from talkie.runtime.voice_names import ESPEAK_VARIANTS, OPENAI_VOICES, espeak_voice, is_auto, speaks, stand_in
from talkie.text.scripts import letters_by_script

if TYPE_CHECKING:
    from talkie.engines.base import SynthesizerInfo
    from talkie.models.store import ModelStore
    from talkie.models.voice_store import ClonedVoice, VoiceStore
    from talkie.runtime.speech import SpeakRequest

ESPEAK = "espeak"
USUAL_LANGUAGE = "en"
LOOKED_AT = 1000
"""Characters of a text by which its language is guessed."""
_MARKUP = re.compile(r"<[^<>]*>")
_OF_SCRIPT = {
    "ARABIC": "ar",
    "ARMENIAN": "hy",
    "BENGALI": "bn",
    "CJK": "zh",
    "CYRILLIC": "ru",
    "DEVANAGARI": "hi",
    "ETHIOPIC": "am",
    "GEORGIAN": "ka",
    "GREEK": "el",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "HANGUL": "ko",
    "HEBREW": "he",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "MYANMAR": "my",
    "SINHALA": "si",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
}
"""Where several languages share a script, the one that most write in it."""
CLONING_HINT = "`talkie engines install chatterbox` brings an engine that can imitate a voice."


def built_in() -> StoredModel:
    """The voice that comes with the installation, as a model of the store's."""
    return StoredModel(
        ESPEAK,
        ESPEAK,
        Path(),
        0,
        (),
        "GPL-3.0-or-later",
        source=BUILT_IN,
        state=BUILT_IN,
        description="Comes with Talkie: over a hundred languages, robotic, quick, always there.",
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """`voice` is the engine's name for it, or one of OpenAI's; empty: the language's own. `language` None: the voice's.
    `guessed`: the language is only what the text looks like. `clone` is a voice made from a recording, in place of the
    engine's."""

    model: StoredModel
    voice: str = ""
    language: str | None = None
    guessed: bool = False
    clone: ClonedVoice | None = None

    @property
    def key(self) -> str:
        """What the table of leases knows it by."""
        return str(self.model.path) if self.model.source == "path" else self.model.name

    def resolved(self, info: SynthesizerInfo) -> tuple[str, str]:
        """The engine's own voice and the language, now that the engine is there. Raises `VoiceNotFound`,
        `UnsupportedByModel`."""
        voice, language = self.voice, self.language
        if self.guessed and language and not speaks(info.languages, language):
            language = None
        voice = self._stand_in(info, voice, language)
        known = {one.name: one for one in info.voices}
        name = voice.partition("+")[0] if info.engine == ESPEAK else voice
        if voice and name not in known:
            raise VoiceNotFound(voice, ", ".join(get_close_matches(voice[:40], list(known), 3, 0.3)))
        if language is None:
            language = known[name].languages[0] if voice and known[name].languages else _usual_language(info)
        elif not speaks(info.languages, language):
            raise UnsupportedByModel(
                "language",
                f"The model {info.name!r} does not speak the language {language[:40]!r}.",
                hint="`talkie voices` lists the languages; the built-in voice (model espeak) knows over a hundred.",
            )
        return voice, language

    def _stand_in(self, info: SynthesizerInfo, voice: str, language: str | None) -> str:
        """The engine's voice for one of OpenAI's names; the built-in one has a voice for every language it speaks."""
        by_alias = voice in OPENAI_VOICES and voice not in {one.name for one in info.voices}
        if info.engine == ESPEAK and (by_alias or (not voice and language)):
            return espeak_voice(info, language or _usual_language(info), ESPEAK_VARIANTS.get(voice, ""))
        return stand_in(info.voices, voice, language) if by_alias else voice


class Speakers:
    """All that can speak: the models of the store, the best first, and the built-in voice, last.

    `usual` is the setting `voice`; `paths` says that models may be named by their paths; `described` tells what a model
    can do from its files, None where only loading tells.
    """

    def __init__(
        self,
        store: ModelStore,
        shelf: VoiceStore,
        usual: str = "auto",
        *,
        paths: bool = False,
        described: Callable[[StoredModel], SynthesizerInfo | None] | None = None,
    ) -> None:
        self._store, self._shelf, self._paths = store, shelf, paths
        self._describe = described or describe
        self._usual = "" if usual == "auto" else usual
        self._lock = threading.Lock()
        self._infos: dict[tuple[str, str, int, str], SynthesizerInfo] = {}

    def choose(self, request: SpeakRequest) -> Choice:
        """Raises `ModelNotFound`, `VoiceNotFound`, `UnsupportedByModel`, `InvalidModelName`."""
        unasked = not request.voice and is_auto(request.model)
        wish, asked = self._wish(self._usual if unasked else request.voice)
        if asked and not is_auto(request.model) and request.model != asked:
            raise VoiceNotFound(request.voice)
        named = asked or ("" if is_auto(request.model) else request.model)
        language = (request.language or "").strip() or None
        if language == "auto":
            language = None
        clone = self._shelf.find(wish, request.owner) if wish else None
        if clone is not None:
            return self._imitating(named, clone, language)
        guessed = language is None and (not wish or wish in OPENAI_VOICES)
        if guessed:
            language = language_of(request.text)
        model = self._named(named, from_settings=unasked) if named else self._best(wish, language)
        return Choice(model, wish, language, guessed)

    def models(self) -> list[StoredModel]:
        """What can speak here, the best first; the built-in voice is the last."""
        found = [one for one in self._store.list() if one.kind == "synthesizer" and one.source != BUILT_IN]
        found.sort(key=lambda model: (model.multilingual, model.rank, model.name), reverse=True)
        return [*found, built_in()]

    def resolve(self, key: str) -> StoredModel:
        """A choice's `key` back to its model."""
        return built_in() if key == ESPEAK else self._store.resolve(key)

    def info(self, model: StoredModel) -> SynthesizerInfo | None:
        """What a model can do, without loading it; None where only loading tells. Raises `TalkieError`."""
        with self._lock:
            known = self._infos.get(_stamp(model))
        if known is not None or model.source == BUILT_IN:
            return known
        info = self._describe(model)
        if info is not None:
            self.learn(model, info)
        return info

    def learn(self, model: StoredModel, info: SynthesizerInfo) -> None:
        """A model was loaded, and has said what it can."""
        with self._lock:
            self._infos[_stamp(model)] = info

    def _wish(self, voice: str) -> tuple[str, str]:
        """`MODEL/VOICE` in its parts. A path is a model too, where paths may be named."""
        model, _, name = voice.strip().rpartition("/")
        return name, model

    def _named(self, name: str, *, from_settings: bool) -> StoredModel:
        if name == ESPEAK:
            return built_in()
        model = self._store.resolve(name) if self._paths or from_settings else self._store.get(name)
        if model.kind != "synthesizer":
            raise UnsupportedByModel(
                "model", f"The model {model.name!r} does not speak.", hint="`talkie voices` lists what does."
            )
        return model

    def _best(self, voice: str, language: str | None) -> StoredModel:
        for model, info in self._described():
            if voice and voice not in OPENAI_VOICES:
                if any(one.name == voice for one in info.voices):
                    return model
            elif info.voices and (language is None or speaks(info.languages, language)):
                return model
        return built_in()

    def _imitating(self, named: str, clone: ClonedVoice, language: str | None) -> Choice:
        """Raises `UnsupportedByModel` where nothing here can imitate a voice."""
        language = language or clone.language
        if named:
            model = self._named(named, from_settings=False)
            info = self.info(model)
            if model.source != BUILT_IN and (info is None or info.cloning):
                return Choice(model, language=language, clone=clone)
            raise UnsupportedByModel("voice", f"The model {model.name!r} cannot imitate a voice.", hint=CLONING_HINT)
        fitting = [(model, speaks(info.languages, language)) for model, info in self._described() if info.cloning]
        if not fitting:
            raise UnsupportedByModel("voice", "No model here can imitate a voice.", hint=CLONING_HINT)
        return Choice(max(fitting, key=lambda item: item[1])[0], language=language, clone=clone)

    def _described(self) -> Iterator[tuple[StoredModel, SynthesizerInfo]]:
        """The models of the store whose abilities can be told; one that is broken speaks only when it is named."""
        for model in self.models()[:-1]:
            try:
                info = self.info(model)
            except TalkieError:
                continue
            if info is not None:
                yield model, info


def describe(model: StoredModel) -> SynthesizerInfo | None:
    """What an engine says of a model's files. Raises `EngineUnavailable`, `ModelBroken`."""
    of_files: Callable[..., SynthesizerInfo] | None = getattr(registry.load(model.engine), "describe", None)
    return None if of_files is None else of_files(model.path, name=model.name)


def fingerprint(model: StoredModel) -> str:
    """Changes when the model does."""
    if model.source == BUILT_IN:
        return _installed("espeakng-loader")
    facts = [f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in sorted(model.path.iterdir())]
    return hashlib.sha256("\n".join([str(model.path), model.revision, *facts]).encode()).hexdigest()


def language_of(text: str) -> str | None:
    """By the script that most letters at its beginning are of; None for scripts of many, the Latin one before all."""
    letters = letters_by_script(_MARKUP.sub(" ", text[:LOOKED_AT])[:LOOKED_AT])
    if letters["HIRAGANA"] or letters["KATAKANA"]:
        return "ja"
    return _OF_SCRIPT.get(letters.most_common(1)[0][0]) if letters else None


@cache
def _installed(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _usual_language(info: SynthesizerInfo) -> str:
    """English where the engine speaks it, else its first."""
    return USUAL_LANGUAGE if speaks(info.languages, USUAL_LANGUAGE) or not info.languages else info.languages[0]


def _stamp(model: StoredModel) -> tuple[str, str, int, str]:
    return model.name, str(model.path), model.size_bytes, model.revision
