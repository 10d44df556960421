"""Two hundred sessions opened and abandoned leave nothing behind: no thread, task, file, memory or session."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect

from server_fixtures import ON_SERVER, SCRIPT, WHISPER, speech_pcm
from server_process import ServerProcess
from talkie.bench.shape_true import make_shape_true
from talkie.models.store import ModelStore
from talkie.runtime.config import ServiceConfig
from talkie.runtime.live import LiveSession
from talkie.runtime.model_choice import BUILT_IN
from talkie.runtime.requests import LiveRequest, TranscribeRequest
from talkie.runtime.service import Service
from talkie.transports.live import open_line

SESSIONS = 200
MOST_MB = 32.0
"""What the allocator may hold more than before."""
SETTLES_S = 30.0
POOL_THREADS = min(32, (os.cpu_count() or 1) + 4)
"""The event loop keeps threads for blocking calls, as many as were ever needed at once, at most so many."""


def count(what: str, process: int | str = "self") -> int:
    """How many files (`fd`) or threads (`task`) a process has."""
    return len(list(Path(f"/proc/{process}/{what}").iterdir()))


def own_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name in ("talkie-live", "talkie-native")]


def resident_mb(process: int | str = "self") -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


def wait_for(done: Callable[[], bool]) -> None:
    """For what is on its way out."""
    deadline = time.monotonic() + SETTLES_S
    while not done():
        assert time.monotonic() < deadline, own_threads()
        time.sleep(0.02)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("home")
    ModelStore(home).import_(make_shape_true(home / "made", "micro", script=SCRIPT), name=WHISPER)
    service = Service(ServiceConfig(home, preset="fast", workers=1, threads=1))
    for model in (WHISPER, BUILT_IN):
        service.prepare(TranscribeRequest(model=model))
    yield service
    service.close()


def abandon(service: Service, model: str, place: int) -> weakref.ref[LiveSession]:
    """One session, left in one of the ways in which clients leave: before, while and after somebody speaks."""
    session = service.listen(LiveRequest(model=model), door="cli")
    pcm = speech_pcm()
    session.wake(threading.Event().set)
    if place % 4:
        session.offer(pcm[: len(pcm) * (place % 4) // 3])
    if place % 8 == 7:
        session.finish()
    if place % 5 == 4:
        service.end_session(session.id)
    session.close()
    return weakref.ref(session)


@pytest.mark.parametrize("model", [WHISPER, BUILT_IN])
def test_sessions_in_one_process(service: Service, model: str) -> None:
    def many(count: int) -> list[weakref.ref[LiveSession]]:
        known = [abandon(service, model, place) for place in range(count)]
        assert service.live_sessions() == []
        return known

    many(20)
    wait_for(lambda: not own_threads())
    fds, before_mb = count("fd"), resident_mb()
    known = many(SESSIONS)
    wait_for(lambda: not own_threads())
    wait_for(lambda: count("fd") <= fds)
    gc.collect()
    assert [session for session in known if session() is not None] == []
    assert resident_mb() - before_mb < MOST_MB


def test_lines_on_an_event_loop(service: Service) -> None:
    """As doors use them: each with a task that sends and one that reads, cancelled in the middle."""

    async def one() -> None:
        async with open_line(service, LiveRequest(model=WHISPER), door="listen") as line:

            async def read() -> None:
                async for _ in line.events():
                    pass

            reading = asyncio.ensure_future(read())
            try:
                await line.send(speech_pcm())
                await asyncio.Event().wait()
            finally:
                reading.cancel()

    async def all_of_them() -> None:
        for _ in range(0, SESSIONS, 20):
            tasks = [asyncio.ensure_future(one()) for _ in range(20)]
            while not any(card.heard_s > 1 for card in service.live_sessions()):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        while len(asyncio.all_tasks()) > 2:  # noqa: ASYNC110 - those that were opening when they were left
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(all_of_them(), 60))
    wait_for(lambda: not own_threads())
    assert service.live_sessions() == []


@ON_SERVER
def test_sockets_of_a_server(server: ServerProcess) -> None:
    """Connections cut without a word, while somebody speaks."""
    address = urlsplit(server.url).netloc

    async def one(until_speech: bool) -> None:
        with contextlib.suppress(OSError):
            async with connect(f"ws://{address}/v1/listen?model={WHISPER}") as socket:
                await socket.send(speech_pcm())
                if until_speech:
                    async for message in socket:
                        if "speech_started" in message:
                            break
                socket.transport.abort()

    async def rounds(count: int) -> None:
        for _ in range(count):
            await asyncio.gather(*(one(place % 2 == 0) for place in range(20)))
            while server.get("/v1/sessions").json()["data"]:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.02)

    process = server.process.pid
    asyncio.run(asyncio.wait_for(rounds(SESSIONS // 20), 60))  # what the engine needs for so many it keeps
    threads, fds = count("task", process) + POOL_THREADS, count("fd", process)
    before_mb = resident_mb(process)
    asyncio.run(asyncio.wait_for(rounds(SESSIONS // 20), 60))
    wait_for(lambda: count("task", process) <= threads)
    wait_for(lambda: count("fd", process) <= fds)
    assert resident_mb(process) - before_mb < MOST_MB
