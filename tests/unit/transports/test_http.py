"""The audio routes in front of a service that is made up: uploads, formats, streams, faults, and clients that leave."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from fakes_service import FakeReadiness, FakeService
from http_door import BASE, TRANSCRIBE, ask, client, make_app, post, run
from talkie import errors
from talkie.errors import AudioTooLong, Cancelled, EngineFailed, ModelNotFound, QueueFull, TalkieError, UndecodableAudio
from talkie.transports.http.errors import STATUS, error_response, status_of
from talkie.types import Notice

CANARY = "canary-4711"


def open_files(directory: Path) -> list[str]:
    """What this process has open below a directory, files without a name included."""
    found = [str(path) for path in directory.iterdir()]
    for link in list(Path("/proc/self/fd").iterdir()):
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith(str(directory)):
            found.append(target)
    return found


async def chunks(*parts: bytes, pause_s: float = 0.0) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
        await asyncio.sleep(pause_s)


# -- what comes in -----------------------------------------------------------------------------------------------------


def test_a_form_reaches_the_service(tmp_path: Path) -> None:
    service = FakeService()
    answer = post(make_app(tmp_path, service), b"sound" * 1000, language="en-US", model="whisper-1", unknown="x")
    assert answer.json()["text"] == "hello there general"
    ((data, request),) = service.seen
    assert data == b"sound" * 1000 and request.language == "en" and request.task == "transcribe"
    assert open_files(tmp_path) == []


def test_translations_are_the_other_task(tmp_path: Path) -> None:
    service = FakeService()
    answer = ask(make_app(tmp_path, service), "POST", "/v1/audio/translations", files={"file": b"x"})
    assert answer.status_code == 200 and service.seen[0][1].task == "translate"


@pytest.mark.parametrize("content_type", ["audio/wav", "audio/webm;codecs=opus", "video/mp4"])
def test_a_bare_recording_has_its_fields_in_the_query(tmp_path: Path, content_type: str) -> None:
    service = FakeService()
    headers = {"Content-Type": content_type}
    answer = ask(
        make_app(tmp_path, service), "POST", f"{TRANSCRIBE}?response_format=text", content=b"sound", headers=headers
    )
    assert answer.text == "hello there general\n" and service.seen[0][0] == b"sound"


def test_a_chunked_form_without_a_length(tmp_path: Path) -> None:
    service = FakeService()
    parts = [b'--X\r\nContent-Disposition: form-data; name="file"\r\n\r\nso', b"und\r\n--X\r\nContent-Dispo",
             b'sition: form-data; name="model"\r\n\r\nm\r\n--X--']  # fmt: skip
    headers = {"Content-Type": "multipart/form-data; boundary=X"}
    answer = ask(make_app(tmp_path, service), "POST", TRANSCRIBE, content=chunks(*parts), headers=headers)
    assert answer.status_code == 200 and service.seen[0][0] == b"sound" and service.seen[0][1].model == "m"


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        ({"Content-Type": "application/json"}, b"{}", 400, "bad_request_body"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"file=1", 400, "bad_request_body"),
        ({}, b"", 400, "bad_request_body"),
        ({"Content-Type": "audio/wav"}, b"", 400, "bad_request_body"),
        ({"Content-Type": "multipart/form-data; boundary=X"}, b"--X--", 400, "invalid_value"),
        ({"Content-Type": "audio/wav"}, b"x" * 100_001, 413, "audio_too_large"),
        ({"Content-Type": "audio/wav", "Content-Length": "99999999999"}, b"x", 413, "audio_too_large"),
    ],
)
def test_what_cannot_be_an_upload(
    tmp_path: Path, headers: dict[str, str], content: bytes, status: int, code: str
) -> None:
    answer = ask(make_app(tmp_path), "POST", TRANSCRIBE, content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert open_files(tmp_path) == []


def test_the_limit_holds_without_a_length(tmp_path: Path) -> None:
    body = chunks(*[b"x" * 10_000] * 20)
    answer = ask(make_app(tmp_path), "POST", TRANSCRIBE, content=body, headers={"Content-Type": "audio/wav"})
    assert answer.status_code == 413 and answer.headers["connection"] == "close"


def drive(app: FastAPI, messages: list[dict[str, Any]], wait: asyncio.Event | None = None) -> list[dict[str, Any]]:
    """Bytes from a client that says exactly `messages`, then nothing (or, after `wait`, goodbye)."""

    async def go() -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        left = list(messages)

        async def receive() -> dict[str, Any]:
            if left:
                return left.pop(0)
            await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            told.append(message)

        headers = [(b"host", b"localhost"), (b"content-type", b"audio/wav"), (b"transfer-encoding", b"chunked")]
        scope = {"type": "http", "method": "POST", "path": TRANSCRIBE, "raw_path": b"", "headers": headers,
                 "query_string": b"", "root_path": "", "scheme": "http", "client": ("10.0.0.1", 1)}  # fmt: skip
        await app(scope, receive, send)
        return told

    return run(go())


def piece(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


GONE = {"type": "http.disconnect"}


def test_a_slow_upload_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("talkie.transports.http.edge.DRAIN_S", 0.05)
    app = make_app(tmp_path, idle_s=0.1)
    told = drive(app, [piece(b"x" * 2000), piece(b"y")])
    assert told[0]["status"] == 408 and json.loads(told[1]["body"])["error"]["code"] == "upload_timeout"
    assert open_files(tmp_path) == [] and app.state.door.gate._inside == 0


def test_an_aborted_upload_leaves_nothing(tmp_path: Path) -> None:
    service = FakeService()
    app = make_app(tmp_path, service)
    drive(app, [piece(b"x" * 2000), GONE])
    assert service.seen == [] and open_files(tmp_path) == [] and app.state.door.gate._inside == 0


def test_a_client_that_leaves_cancels_its_work(tmp_path: Path) -> None:
    service = FakeService(hangs=True)
    app = make_app(tmp_path, service)
    drive(app, [piece(b"x", more=False), GONE])
    assert service.cancelled.is_set() and open_files(tmp_path) == [] and app.state.door.gate._inside == 0


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    answer = post(make_app(tmp_path))
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "store_full")
    assert str(tmp_path) not in answer.text


def test_the_gate_has_so_many_places(tmp_path: Path) -> None:
    async def crowd() -> list[int]:
        service = FakeService(hangs=True)
        service.both = threading.Barrier(3)
        async with client(make_app(tmp_path, service, places=2)) as http:
            files = {"file": b"x"}
            inside = [asyncio.create_task(http.post(TRANSCRIBE, files=files)) for _ in range(2)]
            await asyncio.to_thread(service.both.wait, 20)
            refused = await http.post(TRANSCRIBE, files=files)
            service.hangs = False
            assert int(refused.headers["retry-after"]) >= 1
            return [refused.status_code, *[(await task).status_code for task in inside]]

    assert run(crowd()) == [503, 200, 200]


# -- what goes out -----------------------------------------------------------------------------------------------------


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(block.removeprefix("data: ")) for block in text.split("\n\n") if block]


def test_a_stream_of_events(tmp_path: Path) -> None:
    answer = post(make_app(tmp_path), stream="true")
    assert answer.headers["content-type"].startswith("text/event-stream")
    *deltas, done = events(answer.text)
    assert [item["type"] for item in deltas] == ["transcript.text.delta"] * 2
    assert done["type"] == "transcript.text.done" and done["text"] == "".join(item["delta"] for item in deltas)
    assert done["usage"] == {"type": "duration", "seconds": 2} and open_files(tmp_path) == []


def test_an_error_before_the_first_event_has_its_status(tmp_path: Path) -> None:
    answer = post(make_app(tmp_path, FakeService(raises=ModelNotFound("x"))), stream="true")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("fault", "code"), [(UndecodableAudio(), "undecodable_audio"), (ValueError(CANARY), "internal_error")]
)
def test_an_error_in_the_midst_is_an_event(tmp_path: Path, fault: Exception, code: str) -> None:
    answer = post(make_app(tmp_path, FakeService(breaks=fault)), stream="true")
    first, last = events(answer.text)
    assert first["type"] == "transcript.text.delta" and last["error"]["code"] == code
    assert CANARY not in answer.text and open_files(tmp_path) == []


def test_a_reader_of_a_stream_that_leaves_cancels_its_work(tmp_path: Path) -> None:
    service = FakeService(hangs=True)
    app = make_app(tmp_path, service)

    async def go() -> None:
        told: list[Any] = []
        gone = asyncio.Event()
        left = [piece(b"x", more=False)]

        async def receive() -> dict[str, Any]:
            if left:
                return left.pop()
            await gone.wait()
            return GONE

        async def send(message: Any) -> None:
            told.append(message)
            if b"general" in message.get("body", b""):
                gone.set()

        scope = {"type": "http", "method": "POST", "path": TRANSCRIBE, "raw_path": b"", "query_string": b"stream=true",
                 "headers": [(b"host", b"localhost"), (b"content-type", b"audio/wav"), (b"content-length", b"1")],
                 "root_path": "", "scheme": "http", "client": ("10.0.0.1", 1)}  # fmt: skip
        await app(scope, receive, send)

    run(go())
    assert service.cancelled.is_set() and open_files(tmp_path) == [] and app.state.door.gate._inside == 0


def test_warnings_of_formats_without_room_are_a_header(tmp_path: Path) -> None:
    service = FakeService(notices=(Notice("truncated_audio", "cut\r\nX: y"),))
    answer = post(make_app(tmp_path, service), response_format="srt")
    assert answer.headers["talkie-warning"] == "truncated_audio"


@pytest.mark.parametrize(
    ("fault", "status"),
    [(AudioTooLong(5), 413), (UndecodableAudio(), 400), (ModelNotFound("x"), 404), (QueueFull(3, 7), 503),
     (EngineFailed("e", "why"), 500)],
)  # fmt: skip
def test_errors_of_the_service_have_their_status(tmp_path: Path, fault: TalkieError, status: int) -> None:
    answer = post(make_app(tmp_path, FakeService(raises=fault)))
    error = answer.json()["error"]
    assert answer.status_code == status and error["code"] == fault.code and error["message"] == fault.message
    assert answer.headers.get("retry-after") == ("7" if status == 503 else None)


def every_error(kind: type[TalkieError] = TalkieError) -> set[type[TalkieError]]:
    return {kind}.union(*(every_error(child) for child in kind.__subclasses__()))


def test_the_table_has_every_branch_of_the_tree() -> None:
    own = {kind for kind in every_error() if kind.__module__.startswith("talkie.errors.")}
    branches = {kind for kind in own if TalkieError in kind.__bases__}
    assert branches <= set(STATUS) <= own
    assert status_of(errors.NoAudioStream()) == 400 and error_response(Cancelled()).status_code == 499


def test_a_fault_shows_nothing_of_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        answer = post(make_app(tmp_path, FakeService(raises=ValueError(CANARY))))
    assert answer.status_code == 500 and answer.json()["error"]["code"] == "internal_error"
    assert "ValueError" not in answer.text and CANARY not in answer.text
    assert any(record.exc_info for record in caplog.records)


def test_a_service_that_ends_without_a_word_is_a_fault(tmp_path: Path) -> None:
    service = FakeService()
    service._events = lambda *_: iter(())  # type: ignore[method-assign,assignment]
    assert post(make_app(tmp_path, service)).json()["error"]["code"] == "engine_failed"


# -- the other routes --------------------------------------------------------------------------------------------------


def test_unknown_addresses_and_methods_are_answered_in_one_shape(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    for method, path, status in (("GET", "/x", 404), ("GET", TRANSCRIBE, 405), ("PUT", "/v1/models", 405)):
        answer = ask(app, method, path)
        assert answer.status_code == status and set(answer.json()["error"]) >= {"message", "type", "param", "code"}
    assert ask(app, "GET", TRANSCRIBE).headers["allow"] == "POST"


def test_models(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    listed = ask(app, "GET", "/v1/models").json()
    assert listed["object"] == "list" and listed["data"][0]["id"] == "fake-en"
    assert ask(app, "GET", "/v1/models/fake-en").json() == listed["data"][0]
    missing = ask(app, "GET", "/v1/models/Systran/faster-whisper-base")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")


def test_readiness_names_its_parts(tmp_path: Path) -> None:
    app = make_app(tmp_path, FakeService(readiness=FakeReadiness(False, {"model": "loading"})))
    answer = ask(app, "GET", "/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "parts": {"model": "loading"}})
    assert ask(app, "HEAD", "/healthz").status_code == 200


def test_a_server_that_stops_is_not_ready_and_takes_nothing_new(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    app.state.door.gate.close()
    assert ask(app, "GET", "/readyz").json() == {"ready": False, "parts": {"server": "shutting down"}}
    refused = post(app)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "shutting_down")


def test_metrics_count_requests_without_user_data(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    ask(app, "GET", f"/{CANARY}?{CANARY}=1")
    ask(app, CANARY.upper().replace("-", ""), "/healthz")
    text = ask(app, "GET", "/metrics").text
    assert 'talkie_http_requests_total{method="GET",route="(none)",status="404"}' in text
    assert CANARY not in text.lower() and 'method="OTHER"' in text


def test_the_documentation_needs_no_network(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    page = ask(app, "GET", "/docs")
    assert page.headers["content-type"].startswith("text/html") and TRANSCRIBE in page.text
    assert "http://" not in page.text.replace("http://127.0.0.1:8000", "") and "https://" not in page.text
    assert "<script" not in page.text and "script-src" not in page.headers["content-security-policy"]
    assert TRANSCRIBE in ask(app, "GET", "/openapi.json").json()["paths"]


def test_a_log_line_has_facts_and_nothing_personal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        post(make_app(tmp_path), prompt=CANARY)
        ask(make_app(tmp_path), "GET", f"/v1/models/{CANARY}?{CANARY}=1", headers={"Authorization": f"Bearer {CANARY}"})
    lines = [record.getMessage() for record in caplog.records if record.name == "talkie.http"]
    assert any(line.startswith(f"POST {TRANSCRIBE} 200 ") and "2.0 s of audio" in line for line in lines)
    assert any("/v1/models/{model_id:path} 404" in line for line in lines)
    text = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert CANARY not in text and "canary-name" not in text and "general" not in text and BASE not in text
