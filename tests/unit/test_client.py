"""The client against a server that is a function."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from talkie.client import Client
from talkie.errors import (
    AccessError,
    AnswerError,
    AudioTooLarge,
    BusyError,
    EngineFailed,
    InvalidValue,
    KeyMissing,
    ModelNotFound,
    QueueFull,
    ServerUnreachable,
    TalkieError,
    UnreadableFile,
)
from talkie.types import Transcript

SAID = {"text": "hi", "duration": 1.0, "segments": [{"text": "hi", "start": 0.0, "end": 1.0}]}


def client(handler: Callable[[httpx.Request], httpx.Response], url: str = "http://localhost:8000") -> Client:
    return Client(url, "secret", transport=httpx.MockTransport(handler))


def answering(response: httpx.Response) -> Client:
    return client(lambda request: response)


def failing(status: int, **words: str) -> Client:
    return answering(httpx.Response(status, json={"error": words}, headers={"Retry-After": "7"}))


def test_a_recording_goes_up_with_its_fields(tmp_path: Path) -> None:
    recording = tmp_path / "my own name.WAV"
    recording.write_bytes(b"RIFFsound")
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        return httpx.Response(200, json=SAID)

    with client(handler) as speech:
        transcript = speech.transcribe(recording, language="en", words=True, vad=False, prompt="", model=None)
    body = seen[0].content.decode()
    assert transcript.text == "hi" and transcript.segments[0].end_s == 1.0
    assert seen[0].url.path == "/v1/audio/transcriptions" and seen[0].headers["authorization"] == "Bearer secret"
    assert "RIFFsound" in body and 'name="file"; filename="audio.wav"' in body and "my own name" not in body
    assert 'name="language"\r\n\r\nen' in body and 'name="vad"\r\n\r\nfalse' in body
    assert body.count("timestamp_granularities[]") == 2 and 'name="response_format"\r\n\r\nverbose_json' in body
    assert "prompt" not in body and 'name="model"' not in body and "task" not in body


def test_a_pipe_goes_up_with_its_length() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/audio/translations"
        assert b"piped" in request.read() and int(request.headers["content-length"]) == len(request.content)
        return httpx.Response(200, json=SAID)

    assert client(handler).transcribe(Pipe(b"piped"), task="translate").text == "hi"


def test_a_stream_comes_in_pieces_and_ends_in_the_whole() -> None:
    events = (
        'data: {"type":"transcript.text.delta","delta":"one\u2028"}\r\n\r\n'
        'data: {"type":"something.new"}\n\n'
        'data: {"type":"transcript.text.delta","delta":" two"}\n\n'
        'data: {"type":"transcript.text.done","text":"one two","warnings":[{"code":"a","message":"b"}]}\n\n'
    )
    response = httpx.Response(200, content=events.encode(), headers={"content-type": "text/event-stream"})
    *pieces, last = answering(response).stream(io.BytesIO(b"x"))
    assert pieces == ["one\u2028", " two"]
    assert isinstance(last, Transcript) and last.text == "one two" and last.notices[0].code == "a"


def test_a_server_that_does_not_stream_gives_the_whole() -> None:
    (only,) = answering(httpx.Response(200, json=SAID)).stream(io.BytesIO(b"x"))
    assert isinstance(only, Transcript) and only.text == "hi"


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ('data: {"error": {"message": "broken", "code": "engine_failed"}}\n\n', EngineFailed),
        ('data: {"error": "broken"}\n\n', TalkieError),
        ('data: {"type":"transcript.text.delta","delta":"one"}\n\n', AnswerError),
        ("data: {\n\n", AnswerError),
        ("", AnswerError),
    ],
)
def test_a_stream_that_goes_wrong(events: str, kind: type[TalkieError]) -> None:
    response = httpx.Response(200, content=events.encode(), headers={"content-type": "text/event-stream"})
    with pytest.raises(kind) as raised:
        list(answering(response).stream(io.BytesIO(b"x")))
    assert type(raised.value) is kind


def test_errors_come_back_as_themselves() -> None:
    with pytest.raises(QueueFull) as busy:
        failing(503, code="queue_full", message="3 wait", hint="later").models()
    assert (busy.value.message, busy.value.hint, busy.value.retry_after_s) == ("3 wait", "later", 7.0)
    with pytest.raises(ModelNotFound) as missing:
        failing(404, code="model_not_found", message="no", param="model").transcribe(io.BytesIO(b"x"))
    assert missing.value.param == "model"
    with pytest.raises(KeyMissing):
        failing(401, code="key_missing", message="who?").ps()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AccessError),
        (403, AccessError),
        (413, AudioTooLarge),
        (429, BusyError),
        (503, BusyError),
        (500, AnswerError),
    ],
)
def test_errors_of_other_servers_go_by_their_status(status: int, kind: type[TalkieError]) -> None:
    with pytest.raises(kind, match="no"):
        failing(status, message="no", code="theirs").models()


def test_answers_that_are_none() -> None:
    page = httpx.Response(502, text="<html>")
    with pytest.raises(AnswerError, match="502"):
        answering(page).models()
    for body in ({"data": 3}, {"data": ["x"]}, [], {"text": 4}):
        with pytest.raises(AnswerError):
            answering(httpx.Response(200, json=body)).models()
    with pytest.raises(AnswerError):
        answering(httpx.Response(200, json={})).ready()
    with pytest.raises(AnswerError):
        answering(httpx.Response(200, text="hello")).transcribe(io.BytesIO(b"x"))
    with pytest.raises(AnswerError, match="301"):  # a key is sent nowhere else
        answering(httpx.Response(301, headers={"location": "http://elsewhere.example"})).models()


def test_not_being_ready_is_an_answer() -> None:
    body = {"ready": False, "parts": {"model": "loading"}}
    assert answering(httpx.Response(503, json=body)).ready() == body
    assert answering(httpx.Response(200, json={"data": [{"name": "a"}]})).ps() == [{"name": "a"}]


def test_nobody_there() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    def wait(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    with pytest.raises(ServerUnreachable) as away:
        client(refuse).models()
    assert "talkie serve" in away.value.hint and "http://localhost:8000" in away.value.message
    with pytest.raises(ServerUnreachable, match="too long"):
        client(wait).models()


def test_a_recording_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        answering(httpx.Response(200, json=SAID)).transcribe(tmp_path / "gone.wav")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("localhost:9000", "http://localhost:9000"),
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000"),
        ("https://speech.example/talkie/v1", "https://speech.example/talkie"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        (" speech.example ", "http://speech.example"),
    ],
)
def test_addresses(given: str, url: str) -> None:
    assert Client(given).url == url


@pytest.mark.parametrize(
    "given", ["", "ftp://a", "http://", "http://a:x", "http://a:99999", "http://a?b", "http://a#b"]
)
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(InvalidValue):
        Client(given)


def test_what_is_no_certificate(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("hello")
    for path in (tmp_path / "cert.pem", tmp_path / "gone.pem"):
        with pytest.raises(InvalidValue):
            Client("https://localhost", cacert=path)
