"""The client for speech: against our own door, and against servers that are functions."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from fakes_service import FakeService
from fakes_speech import WORD_S
from http_door import make_app
from socket_door import serving_beside
from talkie.audio.encoders import FORMATS
from talkie.errors import (
    AnswerError,
    EngineFailed,
    InvalidValue,
    KeyMissing,
    NothingToSay,
    ServerUnreachable,
    VoiceExists,
    VoiceNotFound,
)
from talkie.speech_client import SpeechClient
from talkie.transports.keys import KeyRing


def answering(response: httpx.Response) -> SpeechClient:
    return SpeechClient(transport=httpx.MockTransport(lambda request: response))


def against(directory: Path, work: Callable[[SpeechClient], Any], service: FakeService | None = None) -> Any:
    with serving_beside(make_app(directory, service or FakeService())) as address, SpeechClient(address) as client:
        return work(client)


def test_speech_comes_with_its_marks(tmp_path: Path) -> None:
    service = FakeService()
    chunks = against(
        tmp_path, lambda client: list(client.speak("one two", voice="de", speed=2.0, language="")), service
    )
    assert {chunk.sample_rate for chunk in chunks} == {24_000}
    assert abs(sum(len(chunk.samples) for chunk in chunks) / 24_000 - 2 * WORD_S) < 0.001
    assert [mark.text for chunk in chunks for mark in chunk.marks] == ["one", "two"]
    assert (service.asked[0].voice, service.asked[0].speed, service.asked[0].language) == ("de", 2.0, None)


def test_a_file_of_every_format(tmp_path: Path) -> None:
    def work(client: SpeechClient) -> list[bytes]:
        return [b"".join(client.speech("one", response_format=name)) for name in FORMATS]

    mp3, opus, aac, flac, wav, pcm = against(tmp_path, work)
    assert (mp3[:2], opus[:4], aac[:2], flac[:4], wav[:4]) == (b"\xff\xf3", b"OggS", b"\xff\xf1", b"fLaC", b"RIFF")
    assert abs(len(pcm) - 2 * 24_000 * WORD_S) <= 2


def test_voices_are_listed_made_and_removed(tmp_path: Path) -> None:
    recording = tmp_path / "me.wav"
    recording.write_bytes(b"sound")

    def work(client: SpeechClient) -> None:
        assert [voice["id"] for voice in client.voices()] == ["en-us", "de"]
        assert client.add_voice("Ann / B?", recording, consent="yes", language="de")["cloned"]
        assert client.add_voice("Bob", io.BytesIO(b"sound"), consent="yes")["id"] == "Bob"
        with pytest.raises(VoiceExists):
            client.add_voice("Bob", recording, consent="yes")
        with pytest.raises(InvalidValue):
            client.add_voice("Cid", recording, consent="no")
        client.remove_voice("Bob")
        with pytest.raises(VoiceNotFound):
            client.remove_voice("Bob")
        assert [voice["id"] for voice in client.voices()] == ["en-us", "de", "Ann / B?"]

    against(tmp_path, work)


def test_errors_come_back_as_our_own(tmp_path: Path) -> None:
    def work(client: SpeechClient) -> None:
        with pytest.raises(NothingToSay):
            list(client.speak("  "))
        with pytest.raises(InvalidValue, match="speed"):
            list(client.speech("hi", speed=9))

    against(tmp_path, work)
    app = make_app(tmp_path, keys=KeyRing("secret"))
    with serving_beside(app) as address, SpeechClient(address) as client, pytest.raises(KeyMissing):
        client.voices()


def test_what_breaks_in_the_midst_is_an_error(tmp_path: Path) -> None:
    service = FakeService()
    service.speak_breaks = EngineFailed("fake", "it broke")

    def work(client: SpeechClient) -> None:
        with pytest.raises(EngineFailed, match="it broke"):
            list(client.speak("one two"))
        with pytest.raises(ServerUnreachable, match="broke"):
            list(client.speech("one two", response_format="wav"))

    against(tmp_path, work, service)


def test_leaving_ends_the_work(tmp_path: Path) -> None:
    service = FakeService()
    service.word_wait_s = 0.05

    def work(client: SpeechClient) -> None:
        speech = client.speak("word " * 2000)
        next(speech)
        speech.close()  # type: ignore[attr-defined]
        assert service.speech_stopped.wait(20)

    against(tmp_path, work, service)
    assert service.spoken < 1000


def test_a_server_that_knows_no_events_gives_the_sound() -> None:
    pcm = np.arange(1000, dtype="<i2").tobytes()
    pieces = httpx.Response(200, content=iter([pcm[:333], pcm[333:]]), headers={"content-type": "audio/pcm"})
    samples = np.concatenate([chunk.samples for chunk in answering(pieces).speak("x")])
    assert samples.tolist() == (np.arange(1000) / 32768).tolist()


@pytest.mark.parametrize("text", ["data: {}\n\n", "data: [1]\n\n", "data: {x\n\n", 'data: {"type":"x"}\n\n'])
def test_streams_that_are_cut_or_wrong(text: str) -> None:
    response = httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})
    with pytest.raises(AnswerError):
        list(answering(response).speak("x"))


@pytest.mark.parametrize("body", ["{}", "[7]", "no", '{"voices": {}}'])
def test_lists_that_are_none(body: str) -> None:
    with pytest.raises(AnswerError):
        answering(httpx.Response(200, text=body)).voices()
