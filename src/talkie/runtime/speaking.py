"""One text to speech, for all who ask: from the cache, or by a leased model whose turns are shared with the others.

Knows nothing of sockets, and of sound only that it passes by. What a text needs before it can be spoken stands in
`pipeline/speak.py`; which model and voice it is in `voice_choice.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from talkie import __version__
from talkie.engines.base import SynthesizeOptions
from talkie.errors import NothingToSay, TalkieError, TextTooLong, VoiceExists
from talkie.models.voice_store import ClonedVoice, VoiceStore, check_name
from talkie.runtime import metrics
from talkie.runtime.cancel import CancelToken
from talkie.runtime.speech import VoiceCard
from talkie.runtime.speech_cache import CacheKey, SpeechCache, cache_key
from talkie.runtime.voice_choice import ESPEAK, Choice, Speakers, fingerprint
from talkie.runtime.voice_names import OPENAI_VOICES

if TYPE_CHECKING:
    from talkie.engines.base import SynthesizerInfo, Voice, VoiceActivityDetector
    from talkie.models.store import ModelStore, StoredModel
    from talkie.runtime.admission import Admission
    from talkie.runtime.config import ServiceConfig
    from talkie.runtime.leases import LeaseTable
    from talkie.runtime.speech import SpeakRequest
    from talkie.runtime.speech_lane import Place, SpeechLane
    from talkie.text.lexicon import Lexicon
    from talkie.types import Audio, Mark, SpeechChunk

RECIPE = 1
"""Another number whenever the same request would sound otherwise than before."""
CACHE = Path("cache") / "speech"

Aligner = Callable[["Audio", str, str, CancelToken], "tuple[Mark, ...]"]
"""The words of a text in its sound: sound, text, language, and the flag that ends it."""


class Speaking:
    """All of the service that speaks. `align` finds words by a recogniser of ours."""

    def __init__(
        self,
        config: ServiceConfig,
        store: ModelStore,
        leases: LeaseTable,
        admission: Admission,
        detector: VoiceActivityDetector,
        align: Aligner,
        described: Callable[[StoredModel], SynthesizerInfo | None] | None = None,
    ) -> None:
        self._config, self._leases, self._admission = config, leases, admission
        self._detector, self._align = detector, align
        self._shelf = VoiceStore(config.home)
        self._cache = SpeechCache(config.home / CACHE, round(config.speech_cache_mb * 1e6))
        self._lexicon: tuple[tuple[Path, int, int], Lexicon] | None = None
        self.speakers = Speakers(store, self._shelf, config.voice, paths=config.allow_paths, described=described)

    def speak(
        self,
        request: SpeakRequest,
        cancel: CancelToken | None = None,
        pieces: Iterable[str] | None = None,
        *,
        admitted: bool = False,
    ) -> Generator[SpeechChunk, None, None]:
        """As `transports.speech.SpeakService` says. `admitted`: whoever asks has a place among those at work."""
        from talkie.pipeline.speak_text import check_options

        check_options(SynthesizeOptions(speed=request.speed))
        if pieces is None:
            _check_text(request, self._config.max_speech_characters)
        choice = self.speakers.choose(request)
        own = CancelToken(cancel)
        return self._counted(self._answer(request, choice, own, (pieces, admitted)), choice, own)

    def check(self, request: SpeakRequest) -> None:
        """What can be said of a request before there is a text; loads the voice. Raises as `speak`."""
        from talkie.pipeline.speak_text import check_options

        check_options(SynthesizeOptions(speed=request.speed))
        choice = self.speakers.choose(request)
        with self._leases.lease_voice(choice.key) as lane:
            self.speakers.learn(choice.model, lane.info)
            choice.resolved(lane.info)

    # -- one request -----------------------------------------------------------------------------------------------

    def _counted(
        self, chunks: Generator[SpeechChunk, None, None], choice: Choice, cancel: CancelToken
    ) -> Generator[SpeechChunk, None, None]:
        """The answer, and what is counted of it."""
        model, began, first = choice.model.name, time.monotonic(), True
        with metrics.ended(metrics.SPEECH_REQUESTS, model), closing(chunks):
            for chunk in chunks:
                cancel.check()
                if first:
                    metrics.SPEECH_FIRST.labels(model).observe(time.monotonic() - began)
                    first = False
                metrics.SPEECH_SECONDS.labels(model).inc(len(chunk.samples) / chunk.sample_rate)
                yield chunk

    def _answer(
        self, request: SpeakRequest, choice: Choice, cancel: CancelToken, come: tuple[Iterable[str] | None, bool]
    ) -> Generator[SpeechChunk, None, None]:
        pieces, admitted = come
        lexicon = self._read_lexicon()
        key = self._key(request, choice, lexicon) if pieces is None else None
        kept = self._cache.find(key) if key is not None else None
        if key is not None:
            metrics.SPEECH_CACHE.labels("miss" if kept is None else "hit").inc()
        if kept is not None:
            yield from (replace(chunk, generation=request.generation) for chunk in kept)
            return
        with self._cache.writer(key) as writer, self._place(request, choice, cancel, admitted) as (lane, place):
            for chunk in self._made(request, choice, cancel, pieces, (lane.info, place, lexicon)):
                writer.add(chunk)
                yield chunk
            writer.finish()

    @contextmanager
    def _place(
        self, request: SpeakRequest, choice: Choice, cancel: CancelToken, admitted: bool
    ) -> Iterator[tuple[SpeechLane, Place]]:
        """A place among those at work, the model in memory, and a place in its line."""
        with (
            nullcontext() if admitted else self._admission.enter(cancel),
            self._leases.lease_voice(choice.key) as lane,
            lane.open(request.priority_or_usual) as place,
        ):
            self.speakers.learn(choice.model, lane.info)
            yield lane, place

    def _made(
        self,
        request: SpeakRequest,
        choice: Choice,
        cancel: CancelToken,
        pieces: Iterable[str] | None,
        by: tuple[SynthesizerInfo, Place, Lexicon | None],
    ) -> Iterator[SpeechChunk]:
        from talkie.pipeline.speak import speak
        from talkie.pipeline.speak_plan import SpeakPlan

        info, place, lexicon = by
        voice, language = choice.resolved(info)
        plan = SpeakPlan(
            synthesize=lambda text, options: place.say(text, options, cancel),
            info=info,
            options=SynthesizeOptions(
                voice=voice,
                language=language,
                speed=request.speed,
                reference=choice.clone.recording if choice.clone else None,
            ),
            lexicon=lexicon,
            align=(lambda audio, text: self._align(audio, text, language, cancel)) if request.align else None,
            visemes=request.visemes,
            ssml=request.ssml,
            generation=request.generation,
            max_characters=self._config.max_speech_characters,
        )
        with closing(speak(request.text if pieces is None else pieces, plan, cancel)) as chunks:
            yield from chunks

    def _key(self, request: SpeakRequest, choice: Choice, lexicon: Lexicon | None) -> CacheKey | None:
        """None: neither looked for nor kept. A voice made from a recording is kept only where the request says so."""
        wanted = request.cache if request.cache is not None else choice.clone is None
        if not (wanted and self._cache.is_on):
            return None
        return cache_key(
            (
                *(RECIPE, __version__, choice.model.engine, choice.model.name, fingerprint(choice.model)),
                *(choice.voice, choice.language, choice.guessed, choice.clone.fingerprint if choice.clone else ""),
                *(request.speed, request.ssml, request.instructions, request.visemes, request.align),
                *(lexicon.fingerprint if lexicon else "", self._config.max_speech_characters, request.text),
            )
        )

    def _read_lexicon(self) -> Lexicon | None:
        """The user's, read again when its file has changed. Raises `SettingsError`."""
        from talkie.text.lexicon_file import find_lexicon, read_lexicon

        path = find_lexicon(self._config.home)
        if path is None:
            return None
        status = path.stat()
        stamp = path, status.st_mtime_ns, status.st_size
        if self._lexicon is None or self._lexicon[0] != stamp:
            self._lexicon = stamp, read_lexicon(path)
        return self._lexicon[1]

    # -- voices ----------------------------------------------------------------------------------------------------

    def voices(self, owner: str | None = None) -> list[VoiceCard]:
        """The built-in voices by their names, others as `MODEL/VOICE`, then those made from recordings."""
        cards: list[VoiceCard] = []
        cloning: StoredModel | None = None
        for model in self.speakers.models():
            info = self._info(model)
            if info is None:
                continue
            cloning = cloning or (model if info.cloning else None)
            prefix = "" if model.name == ESPEAK else f"{model.name}/"
            cards += [
                VoiceCard(prefix + one.name, one.title or one.name, one.languages, model.name, model.engine)
                for one in info.voices
            ]
        cards.sort(key=lambda card: (card.model != ESPEAK, card.model))
        return [*cards, *(_card(voice, cloning) for voice in self._shelf.list(owner))]

    def _info(self, model: StoredModel) -> SynthesizerInfo | None:
        """None for a model that is broken: it is told of by what names it."""
        try:
            info = self.speakers.info(model)
            if info is None:
                with self._leases.lease_voice(Choice(model).key) as lane:
                    info = lane.info
                self.speakers.learn(model, info)
        except TalkieError:
            if model.name == ESPEAK:
                raise
            return None
        return info

    def add_voice(
        self, name: str, recording: IO[bytes], *, language: str = "en", owner: str = "", consent: str = ""
    ) -> VoiceCard:
        """As `SpeakService` says. `consent` is kept with the voice as it was given."""
        from talkie.runtime.voices import check_language, reference

        check_name(name)
        check_language(language)
        if name in OPENAI_VOICES or any(name == one.name for one in self._engines_voices()):
            raise VoiceExists(name)
        wav, seconds = reference(recording, self._detector)
        voice = self._shelf.add(name, wav, language=language, owner=owner, seconds=seconds, consent=consent)
        return _card(voice, self._cloning())

    def _engines_voices(self) -> Iterator[Voice]:
        for model in self.speakers.models():
            info = self._info(model)
            yield from info.voices if info is not None else ()

    def remove_voice(self, voice: str, *, owner: str | None = None) -> None:
        self._shelf.remove(voice, owner)

    def _cloning(self) -> StoredModel | None:
        for model in self.speakers.models():
            info = self._info(model) if model.name != ESPEAK else None
            if info is not None and info.cloning:
                return model
        return None


def _card(voice: ClonedVoice, model: StoredModel | None) -> VoiceCard:
    """`model` empty: nothing here can imitate it yet."""
    name, engine = (model.name, model.engine) if model else ("", "")
    return VoiceCard(voice.id, voice.name, (voice.language,), name, engine, cloned=True)


def _check_text(request: SpeakRequest, most: int) -> None:
    """What is seen at once; the rest is found where the text is read."""
    if not request.text.strip():
        raise NothingToSay
    if not request.ssml and not request.text.lstrip().startswith("<") and len(request.text) > most:
        raise TextTooLong(len(request.text), most)
