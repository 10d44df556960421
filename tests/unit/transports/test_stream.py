"""`stream=true`: events leave while the work goes on, and whoever leaves or does not read ends it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from fakes_service import FakeService
from http_door import TRANSCRIBE, make_app, run
from talkie.runtime.cancel import CancelToken
from talkie.runtime.requests import TranscribeRequest
from talkie.transports.http import edge
from talkie.types import Segment, Transcript, TranscriptEvent

PATIENCE_S = 20.0


class Gated(FakeService):
    """Goes on to its next segment only when it is told to."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.go_on = threading.Semaphore(0)

    def _events(self, request: TranscribeRequest, cancel: CancelToken) -> Iterator[TranscriptEvent]:
        segments = []
        for number in range(self.count):
            while not self.go_on.acquire(timeout=0.01):
                cancel.check()
            segments.append(Segment(f"part {number}", number, number + 1))
            yield segments[-1]
        yield Transcript(tuple(segments), "en", 1.0, float(self.count), request.task, "fake-en")


class Reader:
    """A client on the ASGI side: it uploads a byte, reads what it is sent, and leaves when `leave` is set."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._body = [{"type": "http.request", "body": b"x", "more_body": False}]
        self.leave = asyncio.Event()
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.status = 0

    def open(self) -> asyncio.Task[None]:
        headers = [(b"host", b"localhost"), (b"content-type", b"audio/wav"), (b"content-length", b"1")]
        scope = {"type": "http", "method": "POST", "path": TRANSCRIBE, "raw_path": b"", "query_string": b"stream=true",
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
            self.told.put_nowait(json.loads(body.removeprefix(b"data: ")))


def test_each_part_leaves_as_soon_as_it_is_heard(tmp_path: Path) -> None:
    service = Gated(3)

    async def go() -> list[dict[str, Any]]:
        reader = Reader(make_app(tmp_path, service))
        task = reader.open()
        told = []
        for _ in range(3):  # the next is not even begun before this one has arrived
            service.go_on.release()
            told.append(await reader.told.get())
        await task
        return [*told, reader.told.get_nowait()]

    *deltas, done = run(go())
    assert [item["delta"] for item in deltas] == ["part 0", " part 1", " part 2"]
    assert done["type"] == "transcript.text.done" and done["text"] == "part 0 part 1 part 2"


def test_who_leaves_before_the_first_event_ends_the_work(tmp_path: Path) -> None:
    service = Gated(1)

    async def go() -> int:
        reader = Reader(make_app(tmp_path, service))
        task = reader.open()
        await asyncio.to_thread(service.started.wait, PATIENCE_S)
        reader.leave.set()
        await task
        return reader.status

    assert run(go()) == 499 and service.cancelled.is_set()


def test_who_leaves_between_two_events_ends_the_work(tmp_path: Path) -> None:
    service = Gated(2)

    async def go() -> int:
        app = make_app(tmp_path, service)
        reader = Reader(app)
        task = reader.open()
        service.go_on.release()
        assert (await reader.told.get())["delta"] == "part 0"
        reader.leave.set()
        await task
        return int(app.state.door.gate._inside)

    assert run(go()) == 0 and service.cancelled.is_set()


def test_who_does_not_read_is_cut_and_its_work_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "SEND_S", 0.3)
    service = FakeService(texts=("word",) * 100_000)

    class Stuck(Reader):
        """Takes the head of the answer, and of its body nothing."""

        async def send(self, message: Any) -> None:
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()

    async def go() -> int:
        app = make_app(tmp_path, service, idle_s=0.1)
        with pytest.raises(BaseException) as caught:  # uvicorn closes the connection then
            await Stuck(app).open()
        assert "ConnectionAbortedError" in repr(caught.value)
        return int(app.state.door.gate._inside)

    assert run(go()) == 0 and service.cancelled.is_set()
