"""The service behind every door: a recording in, a transcript out; a text in, speech or a talking face out; on engines
shared by all who ask.

Knows nothing of sockets, forms or status codes. All methods block and may be called from any thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from talkie.audio.decode import AudioLimits, AudioStream, open_audio
from talkie.audio.segment import SegmentOptions
from talkie.engines import registry
from talkie.engines.base import RecognizerInfo
from talkie.models.store import ModelStore, StoredModel
from talkie.pipeline.transcribe import TranscribePlan, transcribe
from talkie.runtime import metrics
from talkie.runtime.admission import Admission
from talkie.runtime.cancel import CancelToken
from talkie.runtime.config import ServiceConfig
from talkie.runtime.engines import is_new, open_lane, open_voice
from talkie.runtime.first_start import FirstStart
from talkie.runtime.jobs import Job
from talkie.runtime.kept import COMPILED
from talkie.runtime.leases import FACE, LeaseTable, LoadedModel
from talkie.runtime.live import Limits, LiveSession
from talkie.runtime.live_opening import Opening
from talkie.runtime.model_choice import ModelChoice
from talkie.runtime.preparation import Preparations
from talkie.runtime.requests import LiveRequest, TranscribeRequest, check_capabilities, recognize_options
from talkie.runtime.scheduler import Lane
from talkie.runtime.sessions import FACE_ID, SessionCard, SessionTable
from talkie.runtime.speaking import Speaking
from talkie.runtime.voice_choice import ESPEAK, built_in
from talkie.runtime.voice_names import base
from talkie.runtime.warming import Warming, Work
from talkie.types import SAMPLE_RATE_HZ, Audio, Mark, Notice, Samples, SpeechChunk, Transcript, TranscriptEvent

if TYPE_CHECKING:
    from talkie.engines.base import RecognizeOptions, VoiceActivityDetector
    from talkie.runtime.face import AvatarCard, FaceRequest
    from talkie.runtime.face_lane import FaceLane
    from talkie.runtime.face_session import LiveFace
    from talkie.runtime.showing import Showing
    from talkie.runtime.speech import SpeakRequest, VoiceCard
    from talkie.runtime.speech_lane import SpeechLane
    from talkie.types import FaceChunk, Picture

PARTS = {"synthesizer": "voice", "face": "face"}
"""What `ready` calls a thing in memory."""
WARM_SAMPLES = 512
"""One window of the detector: enough to load it."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model that can be asked for by `id`; it hears (`kind` is `recognizer`) or speaks (`synthesizer`)."""

    id: str
    engine: str
    languages: tuple[str, ...]
    size_bytes: int
    loaded: bool
    kind: str = "recognizer"


@dataclass(frozen=True, slots=True)
class Readiness:
    """`ok` when work can be done now; `parts` names each part and how it is."""

    ok: bool
    parts: dict[str, str]


class Service:
    """Engines, queue and store of one process. Nothing is loaded before the first request or `warm`."""

    def __init__(self, config: ServiceConfig) -> None:
        self.config = config
        self.store = ModelStore(config.home, offline=config.offline or None)
        self._admission = Admission(config.concurrency, config.queue_size)
        self.preparations = Preparations()
        self._leases = LeaseTable(self._load, config.max_loaded_models, idle_s=config.idle_unload_s, small=(ESPEAK,))
        self._detector: VoiceActivityDetector = registry.load("silero")(cache_dir=config.home / COMPILED / "silero")
        self._sessions = SessionTable(config.max_sessions, Limits(config.live_max_lag_s, config.session_idle_s))
        self._speaking = Speaking(config, self.store, self._leases, self._admission, self._detector, self._align)
        self._showing: Showing | None = None
        self._first_face = threading.Lock()
        self._first_start = FirstStart(self.store, config.pull)
        self._models = ModelChoice(config, self.store, self._first_start)
        work = Work(lambda: self.choose(TranscribeRequest()), self._warm_lane, self._warm_detector)
        self._warming = Warming(work, self.store, self._first_start, self.preparations)

    # -- hearing ---------------------------------------------------------------------------------------------------

    def transcribe(
        self, source: Path | IO[bytes], request: TranscribeRequest, cancel: CancelToken | None = None
    ) -> Iterator[TranscriptEvent]:
        """Progress and segments as they come, then one `Transcript`. Raises the errors of `talkie.errors`.

        Closing the generator, or setting `cancel` from another thread, stops the work.
        """
        cancel = cancel or CancelToken()
        began = time.monotonic()
        options = recognize_options(request, self.config.preset, self.config.context)
        model = self.choose(request)
        with metrics.ended(metrics.REQUESTS, model.name):
            with self._admission.enter(cancel), self._leases.lease(_key(model)) as lane:
                check_capabilities(request, lane.recognizer.info)
                with (
                    open_audio(source, raw=request.raw, limits=self._limits()) as stream,
                    lane.open(request.priority_of(stream.info.duration_s)) as job,
                ):
                    plan = self._plan(job, lane.recognizer.info, request, options, cancel)
                    heard = transcribe(_checked(stream, cancel), plan, total_s=stream.info.duration_s)
                    with closing(heard) as events:
                        yield from _finished(events, stream, self._models.notices(request, model))
            metrics.LATENCY.labels(model.name).observe(time.monotonic() - began)

    def choose(self, request: TranscribeRequest) -> StoredModel:
        """The model for a request, as `ModelChoice` says."""
        return self._models.choose(request)

    def listen(self, request: LiveRequest, *, door: str, owner: str = "", client: str = "") -> LiveSession:
        """Hear speech while it is spoken: a session that has begun. `door` is how it came in, `owner` the name of its
        key, `client` what it calls itself.

        Raises `TooManySessions`, `ShuttingDown`, `ModelNotFound`, `InvalidValue`; what is found out while the model
        loads, the session raises.
        """
        recording = request.as_recording()
        model = self.choose(recording)
        opening = Opening(
            self._leases, _key(model), self._detector, self.config, self._models.notices(recording, model)
        )
        return self._sessions.open(request, opening, door=door, model=model.name, owner=owner, client=client)

    def _plan(
        self,
        job: Job,
        info: RecognizerInfo,
        request: TranscribeRequest,
        options: RecognizeOptions,
        cancel: CancelToken,
    ) -> TranscribePlan:
        def wait(future: Future[Transcript]) -> Transcript:
            with job.listening():
                return cancel.wait_for(future)

        return TranscribePlan(
            submit=job.submit,
            info=info,
            options=options,
            detector=self._detector if request.vad else None,
            segmenting=SegmentOptions(energy_gate=self.config.energy_gate, max_seconds=info.max_seconds),
            filters=request.filters,
            lookahead=job.lookahead,
            first_batch=job.first_batch,
            wait=wait,
        )

    def _limits(self) -> AudioLimits:
        return AudioLimits(max_seconds=self.config.max_audio_seconds, max_bytes=self.config.max_audio_bytes)

    def _load(self, key: str) -> Lane | SpeechLane | FaceLane:
        if key.startswith(FACE):
            return self._shows().load(key)
        model = self._speaking.speakers.resolve(key)
        if model.kind == "synthesizer":
            return open_voice(model, self.store, self.config)
        with self.preparations.of(model.name) as progress:
            return open_lane(model, self.store, self.config, progress)

    def is_new(self, request: TranscribeRequest) -> bool:
        """Whether the model for a request is yet to be prepared for this machine. Looks at one file's name at most."""
        return is_new(self.choose(request), self.config)

    def prepare(self, request: TranscribeRequest) -> None:
        """Load the model for a request, and do what is done once for it. Raises the errors of `talkie.errors`."""
        self._warm_lane(self.choose(request))

    # -- speaking: as `transports.speech.SpeakService` says ---------------------------------------------------------

    def speak(
        self, request: SpeakRequest, cancel: CancelToken | None = None, *, pieces: Iterable[str] | None = None
    ) -> Generator[SpeechChunk, None, None]:
        """Sound with its marks as it is made. Raises the errors of `talkie.errors`; closing it stops the work."""
        return self._speaking.speak(request, cancel, pieces)

    def voices(self, owner: str | None = None) -> list[VoiceCard]:
        """All that can be asked for; of cloned ones those of `owner` (None: of everybody)."""
        return self._speaking.voices(owner)

    def add_voice(
        self, name: str, recording: IO[bytes], *, language: str = "en", owner: str = "", consent: str = ""
    ) -> VoiceCard:
        """A voice to be imitated. Raises `AudioError`, `InvalidValue`, `VoiceExists`."""
        return self._speaking.add_voice(name, recording, language=language, owner=owner, consent=consent)

    def remove_voice(self, voice: str, *, owner: str | None = None) -> None:
        """Raises `VoiceNotFound`."""
        self._speaking.remove_voice(voice, owner=owner)

    def _align(self, audio: Audio, text: str, language: str, cancel: CancelToken) -> tuple[Mark, ...]:
        """The words of a text where our recogniser hears them; none where it does not know the language."""
        from talkie.audio.joins import at_rate  # only engines without times of their own need these
        from talkie.pipeline.align import align_words

        language = base(language)
        model = self.choose(TranscribeRequest(language=language))
        with self._leases.lease(_key(model)) as lane, lane.open() as job:
            info = lane.recognizer.info
            heard = Audio(at_rate(audio.samples, audio.sample_rate, SAMPLE_RATE_HZ))
            if language not in info.languages or not info.words or heard.duration_s > info.max_seconds:
                return ()
            options = recognize_options(TranscribeRequest(language=language, words=True), "fast", self.config.context)
            with job.listening():
                words = cancel.wait_for(job.submit(heard, options)).words
        return align_words(text, words, audio.duration_s)

    # -- showing: as `transports.face.FaceService` says -------------------------------------------------------------

    def avatars(self, owner: str | None = None) -> list[AvatarCard]:
        """All that can be shown, the built-in one first; of added ones those of `owner` (None: of everybody)."""
        return self._shows().avatars.cards(owner)

    def avatar_picture(self, name: str, *, owner: str | None = None) -> Picture:
        """The avatar at rest. Raises `AvatarNotFound`, `BadAvatar`."""
        return self._shows().avatars.picture(name, owner)

    def add_avatar(self, pack: IO[bytes], *, name: str = "", owner: str = "") -> AvatarCard:
        """A pack in a zip. Raises `BadAvatar`, `AvatarExists`, `StoreFull`."""
        return self._shows().avatars.add(pack, name, owner)

    def remove_avatar(self, name: str, *, owner: str | None = None) -> None:
        """Raises `AvatarNotFound`."""
        self._shows().avatars.remove(name, owner)

    def animate(
        self, source: Path | IO[bytes], request: FaceRequest, cancel: CancelToken | None = None
    ) -> Generator[FaceChunk, None, None]:
        """A recording spoken by a face, as it is made. Closing it stops the work."""
        return self._shows().animate(source, request, cancel)

    def show(
        self,
        spoken: SpeakRequest,
        request: FaceRequest,
        cancel: CancelToken | None = None,
        *,
        pieces: Iterable[str] | None = None,
    ) -> Generator[FaceChunk, None, None]:
        """A text spoken by a face, as it is made. Closing it stops the work."""
        return self._shows().show(spoken, request, cancel, pieces=pieces)

    def face(
        self,
        spoken: SpeakRequest,
        request: FaceRequest,
        *,
        door: str,
        ahead_s: float = 0.0,
        owner: str = "",
        client: str = "",
    ) -> LiveFace:
        """A live face that has begun. Raises `TooManySessions`, `ShuttingDown`, `AvatarNotFound`, `VoiceNotFound`."""
        return self._shows().face(spoken, request, door=door, ahead_s=ahead_s, owner=owner, client=client)

    def _shows(self) -> Showing:
        """All that shows, loaded by the first who asks for it."""
        with self._first_face:
            if self._showing is None:
                from talkie.runtime.showing import House, Showing

                house = House(self.config, self._leases, self._admission, self._detector, self._speaking)
                self._showing = Showing(house)
            return self._showing

    # -- looking ---------------------------------------------------------------------------------------------------

    def models(self) -> list[ModelCard]:
        """What can be asked for, to hear or to speak, built-in models included."""
        loaded = {row.name for row in self._leases.loaded()}
        voice = built_in()
        info = self._speaking.speakers.info(voice)
        return [
            ModelCard(model.name, model.engine, model.languages, model.size_bytes, model.name in loaded, model.kind)
            for model in (*self.store.list(), replace(voice, languages=info.languages if info else ()))
        ]

    def loaded(self) -> list[LoadedModel]:
        """What is in memory now."""
        return self._leases.loaded()

    def live_sessions(self, owner: str | None = None) -> list[SessionCard]:
        """The live sessions of one key, or (None) all: those that hear, then the faces."""
        faces = self._showing.table.cards(owner) if self._showing is not None else []
        return [*self._sessions.cards(owner), *faces]

    def end_session(self, session_id: str, owner: str | None = None) -> None:
        """End a live session of that key, or (None) anybody's. Raises `SessionNotFound`."""
        is_face = self._showing is not None and session_id.startswith(FACE_ID)
        (self._shows().table if is_face else self._sessions).end(session_id, owner)

    def ready(self) -> Readiness:
        """How each part is: loading, ready, or what is wrong with it. `ok` is about what `warm` loads and pulls."""
        parts = self._warming.parts()
        for row, lane in self._leases.lanes():
            part = PARTS.get(row.kind, "model")
            parts[f"{part} {row.name}"] = "ready" if lane.ready() else "loading"
        return Readiness(self._warming.is_done(parts), parts)

    def warm(self) -> None:
        """Load what a first request needs, once it has been pulled. What fails is told by `ready`; this raises nothing
        of `talkie.errors`."""
        self._warming.run()

    def _warm_detector(self) -> None:
        stream = self._detector.open()
        stream.feed(np.zeros(WARM_SAMPLES, np.float32))

    def _warm_lane(self, model: StoredModel) -> None:
        with self._leases.lease(_key(model)):
            pass

    # -- ending ----------------------------------------------------------------------------------------------------

    def close(self, grace_s: float = 0.0) -> None:
        """Take nothing new, let what is at work finish for `grace_s`, then give everything back: all but what a native
        library is busy with for so long that nobody can wait for it."""
        self._first_start.stop()
        self._admission.close()
        if grace_s <= 0:  # nobody is to have a model any more: those who wait for one need not
            self._warming.stop()
        self._sessions.close(grace_s)
        if self._showing is not None:
            self._showing.table.close(grace_s)
        self._admission.drain(grace_s)
        self._warming.stop()
        self._leases.close()


def _key(model: StoredModel) -> str:
    """What `ModelStore.resolve` finds again: a name for models of the store, else the path."""
    return str(model.path) if model.source == "path" else model.name


def _checked(stream: AudioStream, cancel: CancelToken) -> Iterator[Samples]:
    for block in stream.blocks():
        cancel.check()
        yield block


def _finished(
    events: Iterator[TranscriptEvent], stream: AudioStream, notices: tuple[Notice, ...]
) -> Iterator[TranscriptEvent]:
    """The pipeline's events; the transcript gets the notices of the audio and of the choice of model."""
    for event in events:
        if isinstance(event, Transcript):
            event = replace(event, notices=(*notices, *stream.notices, *event.notices))
            _count(event)
        yield event


def _count(transcript: Transcript) -> None:
    metrics.AUDIO_SECONDS.labels(transcript.model).inc(transcript.duration_s)
    for dropped in transcript.dropped:
        metrics.DROPPED.labels(transcript.model, dropped.reason).inc()
