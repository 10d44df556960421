"""Who speaks: the service in this process, or a server somewhere. Both give `SpeechChunk`s and know voices.

Knows nothing of files, players or options.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from talkie.errors import NothingToSay
from talkie.runtime.speech import SpeakRequest, VoiceCard
from talkie.types import SpeechChunk

if TYPE_CHECKING:
    from talkie.runtime.service import Service
    from talkie.settings import Settings
    from talkie.speech_client import SpeechClient

ASKED = ("model", "voice", "language", "speed", "ssml", "instructions", "visemes", "align")
"""Fields of a `SpeakRequest` that a server is told by the same names."""


class Mouth(Protocol):
    """Speaks one text at a time. Closing the iterator stops the work."""

    def speak(self, request: SpeakRequest, pieces: Iterable[str] | None = None) -> Iterator[SpeechChunk]:
        """`pieces` is a text that is still being written, in place of `request.text`."""
        ...

    def voices(self) -> Sequence[VoiceCard]: ...

    def add_voice(self, name: str, recording: Path, language: str, consent: str) -> VoiceCard: ...

    def remove_voice(self, voice: str) -> None: ...

    def close(self) -> None: ...


class LocalMouth:
    """The service in this process."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def speak(self, request: SpeakRequest, pieces: Iterable[str] | None = None) -> Iterator[SpeechChunk]:
        return self._service.speak(request, pieces=pieces)

    def voices(self) -> Sequence[VoiceCard]:
        return self._service.voices()

    def add_voice(self, name: str, recording: Path, language: str, consent: str) -> VoiceCard:
        with recording.open("rb") as file:
            return self._service.add_voice(name, file, language=language, consent=consent)

    def remove_voice(self, voice: str) -> None:
        self._service.remove_voice(voice)

    def close(self) -> None:
        self._service.close()


@dataclass(frozen=True, slots=True)
class RemoteMouth:
    """A server. A text that is still being written is sent sentence by sentence."""

    client: SpeechClient

    def speak(self, request: SpeakRequest, pieces: Iterable[str] | None = None) -> Iterator[SpeechChunk]:
        if pieces is None:
            return self.client.speak(request.text, **_fields(request))
        return self._sentences(request, pieces)

    def _sentences(self, request: SpeakRequest, pieces: Iterable[str]) -> Iterator[SpeechChunk]:
        at_s, something = 0.0, False
        for text in _whole_sentences(pieces):
            try:
                with closing(self.client.speak(text, **_fields(request))) as chunks:  # type: ignore[type-var]
                    length_s = 0.0
                    for chunk in chunks:
                        something = True
                        yield _later(chunk, at_s)
                        length_s += len(chunk.samples) / chunk.sample_rate
                    at_s += length_s
            except NothingToSay:
                continue
        if not something:
            raise NothingToSay

    def voices(self) -> Sequence[VoiceCard]:
        return [_card(entry) for entry in self.client.voices()]

    def add_voice(self, name: str, recording: Path, language: str, consent: str) -> VoiceCard:
        return _card(self.client.add_voice(name, recording, consent=consent, language=language))

    def remove_voice(self, voice: str) -> None:
        self.client.remove_voice(voice)

    def close(self) -> None:
        self.client.close()


def open_mouth(settings: Settings, server: str | None, api_key: str | None, cacert: Path | None) -> Mouth:
    """The server's, where one is named, else our own."""
    if server is None:
        from talkie.compose import build_service

        return LocalMouth(build_service(settings))
    from talkie.speech_client import SpeechClient

    key = settings.api_key.get_secret_value() if settings.api_key else None
    return RemoteMouth(SpeechClient(server, api_key=api_key or key, cacert=cacert))


def _fields(request: SpeakRequest) -> dict[str, Any]:
    """What differs from the defaults: other servers know fewer."""
    usual = SpeakRequest("")
    return {name: value for name in ASKED if (value := getattr(request, name)) != getattr(usual, name)}


def _whole_sentences(pieces: Iterable[str]) -> Iterator[str]:
    from talkie.text.sentences import SentenceSplitter

    splitter = SentenceSplitter(first_clause=False)
    for piece in pieces:
        yield from (sentence.text for sentence in splitter.feed(piece))
    yield from (sentence.text for sentence in splitter.finish())


def _later(chunk: SpeechChunk, seconds: float) -> SpeechChunk:
    marks = tuple(replace(mark, start_s=mark.start_s + seconds, end_s=mark.end_s + seconds) for mark in chunk.marks)
    return replace(chunk, marks=marks)


def _card(entry: dict[str, Any]) -> VoiceCard:
    languages = entry.get("languages")
    return VoiceCard(
        id=str(entry.get("id", "")),
        name=str(entry.get("name", "")),
        languages=tuple(str(item) for item in languages) if isinstance(languages, list) else (),
        model=str(entry.get("model", "")),
        engine=str(entry.get("engine", "")),
        cloned=entry.get("cloned") is True,
    )
