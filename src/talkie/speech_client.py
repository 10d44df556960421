"""The client of `/v1/audio/speech` and `/v1/audio/voices`: texts go up, speech comes down while it is made.

    with SpeechClient("http://127.0.0.1:8000") as client:
        for chunk in client.speak("Hello there.", voice="en-gb"):
            player.play(chunk.samples)

Errors that a server names by code come back as the same class of `talkie.errors`. Knows nothing of the server's
insides, nor of what is done with the sound. A client is for one thread at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import httpx

from talkie.client import PROBE_S, Client, named_error
from talkie.errors import AnswerError
from talkie.types import SpeechChunk
from talkie.wire import answers, speech_answers

PCM_HZ = 24_000
SPEECH, VOICES = "/v1/audio/speech", "/v1/audio/voices"


class SpeechClient(Client):
    """A server that speaks; the arguments are those of `Client`."""

    def speak(self, text: str, **fields: Any) -> Iterator[SpeechChunk]:
        """Speech at 24 kHz with the marks that begin in each chunk, as it is made. `fields` are those of the API and
        Talkie's own: model, voice, language, speed, ssml, instructions, visemes, align, cache; None and "" are left
        out. Closing the iterator ends the work. A server that knows no events gives the sound alone."""
        wanted = {**fields, "response_format": "pcm", "stream_format": "sse"}
        with self._sent("POST", SPEECH, json=_body(text, wanted)) as response:
            if response.headers.get("content-type", "").startswith("text/event-stream"):
                yield from self._chunks(response)
                return
            pcm = speech_answers.Pcm()
            for part in response.iter_bytes():
                yield SpeechChunk(pcm.feed(part), PCM_HZ)

    def speech(self, text: str, *, response_format: str = "mp3", **fields: Any) -> Iterator[bytes]:
        """The encoded speech in pieces, which joined are a file of that format."""
        wanted = {**fields, "response_format": response_format}
        with self._sent("POST", SPEECH, json=_body(text, wanted)) as response:
            yield from response.iter_bytes()

    def voices(self) -> list[dict[str, Any]]:
        """What can be asked for: each has an `id` and a `name`."""
        with self._sent("GET", VOICES, timeout=PROBE_S) as response:
            return self._read(speech_answers.voices, self._json(response))

    def add_voice(self, name: str, source: Path | IO[bytes], *, consent: str, language: str = "en") -> dict[str, Any]:
        """A voice to be imitated, from a recording of 3 to 30 seconds. `consent`: that its owner has agreed."""
        form = {"name": name, "consent": consent, "language": language}
        with self._uploaded(VOICES, "audio_sample", source, form) as response:
            return self._read(speech_answers.voice, self._json(response))

    def remove_voice(self, voice_id: str) -> None:
        with self._sent("DELETE", f"{VOICES}/{quote(voice_id, safe='')}", timeout=PROBE_S) as response:
            self._json(response)

    def _chunks(self, response: httpx.Response) -> Iterator[SpeechChunk]:
        try:
            yield from speech_answers.chunks(self._told(response), PCM_HZ)
        except ValueError as error:
            raise AnswerError(self.url, f"{error}.") from error

    def _told(self, response: httpx.Response) -> Iterator[dict[str, Any]]:
        for event in answers.events(self._lines(response)):
            if "error" in event:
                raise named_error(event["error"])
            yield event


def _body(text: str, fields: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in fields.items() if value is not None and value != ""}
    return {"input": text, **given}
