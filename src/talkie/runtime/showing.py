"""A talking face for all who ask: of a text or of a recording, as a stream, or live.

Knows nothing of sockets, and of pictures only that they pass by. Which face it is stands in `face_choice.py`, how
sound becomes pictures in `pipeline/animate.py`, and what a live face does in `face_session.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from talkie.audio.decode import AudioLimits, open_audio
from talkie.errors import TalkieError
from talkie.runtime import metrics
from talkie.runtime.cancel import CancelToken
from talkie.runtime.engines import open_face_lane, open_face_model
from talkie.runtime.face_choice import Avatars, FaceChoice
from talkie.runtime.face_memory import FaceMemory
from talkie.runtime.face_options import FaceOptions
from talkie.runtime.face_table import FaceTable

if TYPE_CHECKING:
    from talkie.engines.base import VoiceActivityDetector
    from talkie.models.avatar_pack import AvatarPack
    from talkie.pipeline.faces import Face
    from talkie.runtime.admission import Admission
    from talkie.runtime.config import ServiceConfig
    from talkie.runtime.face import FaceRequest
    from talkie.runtime.face_lane import FaceLane
    from talkie.runtime.face_session import LiveFace
    from talkie.runtime.leases import LeaseTable
    from talkie.runtime.speaking import Speaking
    from talkie.runtime.speech import SpeakRequest
    from talkie.runtime.turns import Priority
    from talkie.types import Audio, FaceChunk, Mark, SpeechChunk

PHONES = "sphinx-en"
"""The model that hears phonemes in any recording."""
LONG_S = 60.0
"""Whoever sends more does not sit and wait for the first picture."""


@dataclass(frozen=True)
class House:
    """What showing stands on: the parts of the service that it shares with hearing and speaking."""

    config: ServiceConfig
    leases: LeaseTable
    admission: Admission
    detector: VoiceActivityDetector
    speaking: Speaking


class Showing:
    """All of the service that shows."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.table = FaceTable(house.config.max_faces)
        self._memory = FaceMemory(house.leases, house.detector)
        self.avatars = Avatars(house.config, self._try_networks)

    # -- streams: as `transports.face.FaceService` says --------------------------------------------------------------

    def animate(
        self, source: Path | IO[bytes], request: FaceRequest, cancel: CancelToken | None = None
    ) -> Generator[FaceChunk, None, None]:
        choice, own = self.avatars.choose(request), CancelToken(cancel)
        return _counted(self._recorded(source, request, choice, own), choice, own)

    def show(
        self,
        spoken: SpeakRequest,
        request: FaceRequest,
        cancel: CancelToken | None = None,
        *,
        pieces: Iterable[str] | None = None,
    ) -> Generator[FaceChunk, None, None]:
        choice, own = self.avatars.choose(request), CancelToken(cancel)
        spoken = replace(
            spoken,
            visemes=True,
            generation=request.generation or spoken.generation,
            priority=request.priority or spoken.priority,
        )
        speech = self._house.speaking.speak(spoken, own, pieces, admitted=True)
        return _counted(self._spoken(speech, choice, spoken.priority_or_usual, own), choice, own)

    def _spoken(
        self, speech: Generator[SpeechChunk, None, None], choice: FaceChoice, priority: Priority, cancel: CancelToken
    ) -> Generator[FaceChunk, None, None]:
        with (
            closing(speech),
            self._house.admission.enter(cancel),
            self._memory.open(choice, priority) as face,
        ):
            yield from _animated(speech, face, cancel)

    def _recorded(
        self, source: Path | IO[bytes], request: FaceRequest, choice: FaceChoice, cancel: CancelToken
    ) -> Generator[FaceChunk, None, None]:
        from talkie.pipeline.recorded import recorded, talk_rate

        config = self._house.config
        limits = AudioLimits(max_seconds=config.max_audio_seconds, max_bytes=config.max_audio_bytes)
        with self._house.admission.enter(cancel), ExitStack() as stack:
            stream = stack.enter_context(open_audio(source, raw=request.raw, limits=limits, sample_rate=talk_rate))
            seconds = stream.info.duration_s
            priority = request.priority or ("batch" if seconds is None or seconds > LONG_S else "interactive")
            face = stack.enter_context(self._memory.open(choice, priority))
            phonemes = stack.enter_context(self._phonemes()) if face.info.visemes else None
            sound = recorded(
                stream.blocks(),
                stream.sample_rate,
                detector=self._house.detector,
                phonemes=phonemes,
                generation=request.generation,
            )
            yield from _animated(sound, face, cancel)

    @contextmanager
    def _phonemes(self) -> Iterator[Callable[[Audio], tuple[Mark, ...]] | None]:
        """What hears phonemes; None where it is not to be had: loudness then moves the mouth."""
        with ExitStack() as stack:
            try:
                lane = stack.enter_context(self._house.leases.lease(PHONES))
            except TalkieError:
                yield None
                return
            yield getattr(lane.recognizer, "phonemes", None)

    # -- live ------------------------------------------------------------------------------------------------------

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
        choice = self.avatars.choose(request)
        spoken = replace(spoken, text="", visemes=True, priority=spoken.priority or "live")
        self._house.speaking.check(spoken)
        priority = request.priority or "live"
        options = FaceOptions(spoken, choice.kind, ahead_s, self._house.config.session_idle_s)
        return self.table.open(
            lambda: self._memory.open(choice, priority),
            lambda request, cancel, pieces: self._house.speaking.speak(request, cancel, pieces, admitted=True),
            options,
            door=door,
            avatar=choice.name,
            owner=owner,
            client=client,
        )

    # -- networks --------------------------------------------------------------------------------------------------

    def load(self, key: str) -> FaceLane:
        """A network, by its key in the table of leases. Raises `AvatarError`, `EngineError`."""
        return open_face_lane(self.avatars.pack_of(key), self._house.config)

    def _try_networks(self, pack: AvatarPack) -> None:
        open_face_model(pack, self._house.config).close()


def _animated(sound: Iterator[SpeechChunk], face: Face, cancel: CancelToken) -> Iterator[FaceChunk]:
    from talkie.pipeline.animate import animate

    with closing(animate(sound, face, cancel)) as chunks:
        yield from chunks


def _counted(
    chunks: Generator[FaceChunk, None, None], choice: FaceChoice, cancel: CancelToken
) -> Generator[FaceChunk, None, None]:
    """The answer, and what is counted of it."""
    kind, began_s, first = choice.kind, time.monotonic(), True
    with metrics.ended(metrics.FACE_REQUESTS, kind), closing(chunks):
        for chunk in chunks:
            cancel.check()
            if first and chunk.frames:
                metrics.FACE_FIRST.labels(kind).observe(time.monotonic() - began_s)
                first = False
            metrics.FACE_FRAMES.labels(kind).inc(len(chunk.frames))
            metrics.FACE_SECONDS.labels(kind).inc(len(chunk.samples) / chunk.sample_rate)
            yield chunk
