"""`/v1/audio/speech` in front of a service that is made up: what leaves when, what is refused, who stops the work."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from fakes_service import FakeService
from fakes_speech import RATE_HZ, WORD_S
from http_door import ask, make_app, run
from socket_door import serving_beside
from talkie.errors import (
    BadSsml,
    EngineFailed,
    NothingToSay,
    QueueFull,
    TalkieError,
    TextTooLong,
    UnsupportedByModel,
    VoiceNotFound,
)
from talkie.runtime.cancel import CancelToken
from talkie.runtime.speech import SpeakRequest
from talkie.transports.http import edge, speech
from talkie.transports.keys import KeyRing, new_key
from talkie.types import SpeechChunk

SPEECH = "/v1/audio/speech"
CANARY = "canary sentence"
PATIENCE_S = 20.0
MEDIA = {"mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav"}


class Gated(FakeService):
    """Says its next word only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Semaphore(0)

    def speak(
        self, request: SpeakRequest, cancel: CancelToken | None = None, *, pieces: Iterable[str] | None = None
    ) -> Iterator[SpeechChunk]:
        self.started.set()
        return self._gated(super().speak(request, cancel, pieces=pieces), cancel or CancelToken())

    def _gated(self, chunks: Iterator[SpeechChunk], cancel: CancelToken) -> Iterator[SpeechChunk]:
        try:
            while True:
                while not self.go_on.acquire(timeout=0.01):
                    cancel.check()
                chunk = next(chunks, None)
                if chunk is None:
                    return
                yield chunk
        finally:
            chunks.close()  # type: ignore[attr-defined]
            self.speech_stopped.set()


class Reader:
    """A client on the ASGI side: it reads what it is sent, and leaves when `leave` is set."""

    def __init__(self, app: FastAPI, **fields: Any) -> None:
        self._app = app
        self._data = json.dumps({"input": "one two three", "response_format": "wav", **fields}).encode()
        self._body = [{"type": "http.request", "body": self._data, "more_body": False}]
        self.leave = asyncio.Event()
        self.told: asyncio.Queue[bytes] = asyncio.Queue()
        self.status = 0

    def open(self) -> asyncio.Task[None]:
        headers = [(b"host", b"localhost"), (b"content-length", str(len(self._data)).encode())]
        scope = {"type": "http", "method": "POST", "path": SPEECH, "raw_path": b"", "query_string": b"",
                 "headers": headers, "root_path": "", "scheme": "http", "client": ("10.0.0.1", 1)}  # fmt: skip
        return asyncio.create_task(self._app(scope, self._receive, self.send))

    async def _receive(self) -> dict[str, Any]:
        if self._body:
            return self._body.pop()
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        if body := message.get("body", b""):
            self.told.put_nowait(body)


def speak(app: FastAPI, text: str = "one two three", **fields: Any) -> httpx.Response:
    return ask(app, "POST", SPEECH, json={"input": text, **fields})


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]


@pytest.mark.parametrize("name", MEDIA)
def test_every_format_holds_the_whole_speech(tmp_path: Path, name: str) -> None:
    answer = speak(make_app(tmp_path), response_format=name)
    assert answer.status_code == 200 and answer.headers["content-type"] == MEDIA[name]
    assert answer.headers["x-accel-buffering"] == "no" and "content-length" not in answer.headers
    with av.open(io.BytesIO(answer.content)) as file:
        samples = sum(frame.samples for frame in file.decode(audio=0))
        assert abs(samples / file.streams.audio[0].rate - 3 * WORD_S) < 0.05


def test_pcm_is_24_khz_and_nothing_else(tmp_path: Path) -> None:
    answer = speak(make_app(tmp_path), response_format="pcm")
    assert answer.headers["content-type"] == "audio/pcm"
    assert abs(len(answer.content) - round(3 * WORD_S * 24_000) * 2) <= 2
    assert 0.4 < np.max(np.frombuffer(answer.content, "<i2")) / 32768 < 0.6


def test_mp3_is_what_a_client_gets_that_does_not_say(tmp_path: Path) -> None:
    assert speak(make_app(tmp_path)).headers["content-type"] == "audio/mpeg"


def test_the_service_is_asked_for_what_the_client_asked(tmp_path: Path) -> None:
    service = FakeService()
    speak(make_app(tmp_path, service), voice={"id": "voice_1"}, speed=2, language="de", model="tts-1", extra="x")
    asked = service.asked[0]
    assert (asked.voice, asked.speed, asked.language, asked.model) == ("voice_1", 2.0, "de", "tts-1")
    assert asked.owner is None  # no keys are wanted: everybody is the owner of everything


def test_events_carry_the_sound_and_its_marks(tmp_path: Path) -> None:
    answer = speak(make_app(tmp_path), stream_format="sse", response_format="pcm", visemes=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *told, done = events(answer)
    sound = b"".join(base64.b64decode(item["audio"]) for item in told if item["type"] == "speech.audio.delta")
    marks = [mark for item in told if item["type"] == "speech.audio.marks" for mark in item["marks"]]
    assert abs(len(sound) - round(3 * WORD_S * 24_000) * 2) <= 2
    words = [mark for mark in marks if mark["kind"] == "word"]
    assert [mark["text"] for mark in words] == ["one", "two", "three"]
    assert words[1] == {"kind": "word", "text": "two", "start": 0.2, "end": 0.4, "estimated": False}
    assert sum(mark["kind"] == "viseme" and mark["estimated"] for mark in marks) == 3
    assert done["type"] == "speech.audio.done" and done["usage"]["seconds"] == pytest.approx(3 * WORD_S)
    assert told[0]["type"] == "speech.audio.marks"  # before the sound in which they begin


@pytest.mark.parametrize("name", ["wav", "mp3"])
def test_each_word_leaves_as_soon_as_it_is_made(tmp_path: Path, name: str) -> None:
    service = Gated()

    async def go() -> None:
        reader = Reader(make_app(tmp_path, service), response_format=name)
        task = reader.open()
        for _ in range(3):  # the next is not even begun before this one has arrived
            service.go_on.release()
            assert await reader.told.get()
        service.go_on.release()
        await task

    run(go())
    assert service.spoken == 3


def test_a_long_piece_is_sent_in_short_ones(tmp_path: Path) -> None:
    class Long(FakeService):
        def speak(self, *_args: Any, **_more: Any) -> Iterator[SpeechChunk]:
            return iter_of(SpeechChunk(np.zeros(10 * RATE_HZ, np.float32), RATE_HZ))

    def iter_of(chunk: SpeechChunk) -> Iterator[SpeechChunk]:
        yield chunk

    async def go() -> list[int]:
        reader = Reader(make_app(tmp_path, Long()))
        await reader.open()
        return [len(reader.told.get_nowait()) for _ in range(reader.told.qsize())]

    sizes = run(go())
    assert sum(sizes) == 44 + 10 * RATE_HZ * 2 and max(sizes) <= 0.26 * RATE_HZ * 2


@pytest.mark.parametrize("sse", [False, True])
@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (NothingToSay(), 400),
        (TextTooLong(11, 10), 413),
        (BadSsml(2, "what is this"), 400),
        (VoiceNotFound("nobody"), 404),
        (UnsupportedByModel("speed", "no"), 400),
        (QueueFull(7), 503),
        (EngineFailed("fake", "it broke"), 500),
    ],
)
def test_what_is_refused_is_refused_by_its_status(tmp_path: Path, fault: TalkieError, status: int, sse: bool) -> None:
    service = FakeService()
    service.speak_raises = fault
    answer = speak(make_app(tmp_path, service), stream_format="sse" if sse else "audio")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, fault.code)
    assert ("retry-after" in answer.headers) == (status == 503)


def test_a_text_of_which_nothing_is_made_is_an_error_and_no_empty_file(tmp_path: Path) -> None:
    answer = speak(make_app(tmp_path), " ")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "nothing_to_say")


def test_a_rate_that_no_format_has_is_a_fault_of_the_engine(tmp_path: Path) -> None:
    class Odd(FakeService):
        def speak(self, *_args: Any, **_more: Any) -> Iterator[SpeechChunk]:
            yield SpeechChunk(np.zeros(10, np.float32), 1000)

    assert speak(make_app(tmp_path, Odd())).json()["error"]["code"] == "engine_failed"


@pytest.mark.parametrize(
    ("fault", "code"), [(EngineFailed("fake", "it broke"), "engine_failed"), (ValueError(CANARY), "internal_error")]
)
def test_what_breaks_later_is_the_last_event(
    tmp_path: Path, fault: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    service = FakeService()
    service.speak_breaks = fault
    *told, last = events(speak(make_app(tmp_path, service), stream_format="sse", response_format="wav"))
    assert told[-1]["type"] == "speech.audio.delta" and last["error"]["code"] == code
    assert CANARY not in json.dumps(last)


@pytest.mark.parametrize("fault", [EngineFailed("fake", "it broke"), ValueError(CANARY)])
def test_what_breaks_later_cuts_the_connection(tmp_path: Path, fault: Exception) -> None:
    service = FakeService()
    service.speak_breaks = fault
    got = b""
    with (
        serving_beside(make_app(tmp_path, service)) as address,
        pytest.raises(httpx.RemoteProtocolError),
        httpx.stream("POST", f"http://{address}{SPEECH}", json={"input": "a b", "response_format": "wav"}) as answer,
    ):
        for part in answer.iter_bytes():
            got += part
    assert got[:4] == b"RIFF"  # and nobody takes it for whole


def test_who_leaves_before_the_first_sound_ends_the_work(tmp_path: Path) -> None:
    service = Gated()

    async def go() -> tuple[int, int]:
        app = make_app(tmp_path, service)
        reader = Reader(app)
        task = reader.open()
        await asyncio.to_thread(service.started.wait, PATIENCE_S)
        reader.leave.set()
        await task
        return reader.status, app.state.door.gate._inside

    assert run(go()) == (499, 0) and service.speech_stopped.is_set() and service.spoken == 0


@pytest.mark.parametrize("fields", [{}, {"stream_format": "sse"}, {"response_format": "mp3"}])
def test_who_leaves_in_the_midst_ends_the_work(tmp_path: Path, fields: dict[str, str]) -> None:
    service = Gated()

    async def go() -> int:
        app = make_app(tmp_path, service)
        reader = Reader(app, **fields)
        task = reader.open()
        service.go_on.release()
        await reader.told.get()
        reader.leave.set()
        await task
        return int(app.state.door.gate._inside)

    assert run(go()) == 0 and service.speech_stopped.is_set() and service.spoken <= 1


def test_a_connection_that_is_closed_ends_the_work(tmp_path: Path) -> None:
    service = FakeService()
    service.word_wait_s = 0.05
    text = "word " * 2000
    with serving_beside(make_app(tmp_path, service)) as address:
        body = {"input": text, "response_format": "wav"}
        with httpx.stream("POST", f"http://{address}{SPEECH}", json=body, timeout=PATIENCE_S) as answer:
            next(answer.iter_bytes())
        assert service.speech_stopped.wait(PATIENCE_S)
    assert 0 < service.spoken < 1000


def test_who_does_not_read_is_cut_and_its_work_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "SEND_S", 0.3)
    service = FakeService()

    class Stuck(Reader):
        """Takes the head of the answer, and of its body nothing."""

        async def send(self, message: Any) -> None:
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()

    async def go() -> int:
        app = make_app(tmp_path, service)
        with pytest.raises(BaseException) as caught:  # uvicorn closes the connection then
            await Stuck(app, input="word " * 100_000).open()
        assert "ConnectionAbortedError" in repr(caught.value)
        return int(app.state.door.gate._inside)

    assert run(go()) == 0 and service.speech_stopped.is_set()
    assert service.spoken < 1000  # it never ran far ahead of its reader


def test_a_gate_without_a_place_is_said(tmp_path: Path) -> None:
    answer = speak(make_app(tmp_path, places=0))  # one at least
    assert answer.status_code == 200
    app = make_app(tmp_path)
    app.state.door.gate.close()
    assert speak(app).json()["error"]["code"] == "shutting_down"


def test_a_body_has_its_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "MAX_BODY_BYTES", 10_000)
    app = make_app(tmp_path)

    async def endless() -> Any:
        while True:
            yield b" " * 1000

    for content in (b" " * 10_001, endless()):
        answer = ask(app, "POST", SPEECH, content=content)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    for content in (b"", b"{", b"[]"):
        answer = ask(app, "POST", SPEECH, content=content)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request_body")
    assert speak(app, "x" * 9_900).status_code == 200


def test_a_body_that_stands_still_is_given_up(tmp_path: Path) -> None:
    async def trickle() -> Any:
        while True:
            yield b" "
            await asyncio.sleep(0.02)

    answer = ask(make_app(tmp_path, idle_s=0.2), "POST", SPEECH, content=trickle())
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "upload_timeout")


def test_only_who_may_speak_is_heard(tmp_path: Path) -> None:
    made = {scope: new_key(scope.replace(":", "-"), [scope]) for scope in ("speak", "transcribe", "admin")}
    path = tmp_path / "keys.json"
    rows = [{"name": key.name, "sha256": key.sha256, "scopes": key.scopes} for _, key in made.values()]
    path.write_text(json.dumps({"keys": rows}))
    service = FakeService()
    app = make_app(tmp_path, service, keys=KeyRing(None, path))

    def status(key: str | None) -> int:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return ask(app, "POST", SPEECH, json={"input": "hi"}, headers=headers).status_code

    assert [status(made[scope][0]) for scope in made] == [200, 403, 200]
    assert (status(None), status("wrong")) == (401, 401)
    assert [asked.owner for asked in service.asked] == ["speak", None]


def test_the_log_tells_how_much_was_said_and_never_what(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        speak(make_app(tmp_path), CANARY, response_format="wav", instructions=CANARY)
    assert "0.4 s of audio" in caplog.text and "canary" not in caplog.text
