"""One turn of one form: start, answers, uploads, TLS, idling, the model put out, and one answer more.

Everything goes through the door that users take, by HTTP; what the processes cost is read from the host. A second
server with TLS stands beside the first only while the two are asked in turns, so that whatever else the machine does
happens to both. Knows nothing of what a form is made of.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from talkie.bench.deploy_forms import Form, Running, StartWish
from talkie.bench.deploy_processes import gpu_bytes, gpu_percent, has_gpu, memory, processor_seconds
from talkie.bench.deploy_results import Gpu, Turn
from talkie.bench.upload import NOT_THERE
from talkie.client import Client
from talkie.errors import EngineFailed, ModelNotFound, ServerUnreachable

T = TypeVar("T")

READY_S, POLL_S, EMPTY_S = 600.0, 0.02, 60.0
SPARE_S = 10.0
"""A model stays so much longer than the time that idling is measured for: also while two servers are asked in turns."""
SAMPLES = 10
WARM_UP = 4
"""Answers of each server that do not count, before the one with TLS, which is new, is held against one that is not."""
"""Looks at a GPU while nobody asks."""


@dataclass(frozen=True, slots=True)
class TurnTask:
    """What each turn does. `audio` is heard, `noise` is only sent."""

    audio: Path
    noise: Path
    wish: StartWish
    answers: int = 10
    uploads: int = 3
    idle_s: float = 10.0

    @property
    def plain(self) -> StartWish:
        """Without TLS, and with a model that is put out soon after the idling."""
        settings = {**self.wish.settings, "idle_unload_s": str(self.idle_s + SPARE_S)}
        return replace(self.wish, settings=settings, tls=None)


def turn(form: Form, task: TurnTask, number: int) -> Turn:
    """Raises `EngineFailed` when the form's server does not come up, and what its answers raise."""
    load_average = os.getloadavg()[0]
    with form.start(task.plain) as running, Client(running.url, task.wish.key) as client:
        ready_s = wait_ready(client, running)
        first_s, text = answer(client, task.audio)
        answers_s = tuple(answer(client, task.audio)[0] for _ in range(task.answers))
        resident = memory(running.pids(), running.around())
        uploads = tuple(_upload(client, task.noise) for _ in range(task.uploads))
        tls = _beside_tls(form, task, client) if task.wish.tls else {}
        answer(client, task.audio)
        idle_share, gpu = _idle(running, task.idle_s)
        _wait_empty(client)
        unloaded = memory(running.pids(), running.around())
        gpu = gpu and replace(gpu, unloaded_bytes=gpu_bytes(running.pids()))
        reload_s = answer(client, task.audio)[0]
    return Turn(
        round=number,
        ready_s=ready_s,
        first_s=first_s,
        answers_s=answers_s,
        resident=resident,
        unloaded=unloaded,
        reload_s=reload_s,
        idle_share=idle_share,
        uploads_mb_s=uploads,
        text=hashlib.sha256(text.encode()).hexdigest()[:12],
        gpu=gpu,
        load_average=round(load_average, 2),
        **tls,
    )


def warm_up(form: Form, task: TurnTask) -> None:
    """A start that does not count: files come into the cache, and what is made once for a model is made."""
    with form.start(task.plain) as running, Client(running.url, task.wish.key) as client:
        wait_ready(client, running)
        answer(client, task.audio)


def wait_ready(client: Client, running: Running) -> float:
    """Seconds from the start until the server says that it is ready to work. Raises `EngineFailed`."""
    looked = time.monotonic()
    while (now := time.monotonic()) - running.began < READY_S:
        with contextlib.suppress(ServerUnreachable):
            if client.ready().get("ready"):
                return time.monotonic() - running.began
        if now - looked > 1:
            looked = now
            if not running.alive():
                break
        time.sleep(POLL_S)
    raise EngineFailed("server", f"it did not become ready. It said:\n{running.words()}")


def answer(client: Client, audio: Path) -> tuple[float, str]:
    """Seconds, and what was heard."""
    began = time.monotonic()
    text = client.transcribe(audio, model="auto").text
    return time.monotonic() - began, text


def _upload(client: Client, noise: Path) -> float:
    """Megabytes a second: the server takes all of the file before it says that the model is not there."""
    began = time.monotonic()
    with contextlib.suppress(ModelNotFound):
        client.transcribe(noise, model=NOT_THERE)
    return noise.stat().st_size / 1e6 / (time.monotonic() - began)


def _beside_tls(form: Form, task: TurnTask, plain: Client) -> dict[str, tuple[float, ...]]:
    """Answers of the server that runs and of one with TLS, one by one in turns; then the same, connecting each time."""
    assert task.wish.tls is not None
    cacert = task.wish.tls / "cert.pem"
    found: dict[str, list[float]] = {"plain_s": [], "tls_s": [], "plain_new_s": [], "tls_new_s": []}
    with form.start(task.wish) as running, ExitStack() as stack:
        secure = stack.enter_context(Client(running.url, task.wish.key, cacert=cacert))
        wait_ready(secure, running)
        fresh: dict[str, Callable[[], Client]] = {
            "plain_new_s": lambda: Client(plain.url, task.wish.key),
            "tls_new_s": lambda: Client(running.url, task.wish.key, cacert=cacert),
        }
        for client in (plain, secure) * WARM_UP:
            answer(client, task.audio)
        for number in range(task.answers):
            for name, client in _turns([("plain_s", plain), ("tls_s", secure)], number):
                found[name].append(answer(client, task.audio)[0])
        for number in range(task.answers):
            for name, connect in _turns(list(fresh.items()), number):
                with connect() as client:
                    found[name].append(answer(client, task.audio)[0])
    return {name: tuple(seconds) for name, seconds in found.items()}


def _turns(pair: Sequence[T], number: int) -> Sequence[T]:
    """Who comes first changes each time."""
    return pair if number % 2 == 0 else pair[::-1]


def _idle(running: Running, seconds: float) -> tuple[float, Gpu | None]:
    """The share of one processor that is used while nobody asks, and what a GPU does."""
    pids = {*running.pids(), *running.around()}
    looks_at_gpu = has_gpu()
    before, began = processor_seconds(pids), time.monotonic()
    busy = []
    while (left := seconds - (time.monotonic() - began)) > 0:
        time.sleep(min(left, seconds / SAMPLES))
        busy += [gpu_percent()] if looks_at_gpu else []
    spent, took = processor_seconds(pids) - before, time.monotonic() - began
    gpu = Gpu(gpu_bytes(running.pids()), 0, sum(busy) / max(1, len(busy))) if looks_at_gpu else None
    return spent / took, gpu


def _wait_empty(client: Client) -> None:
    """Until no model is in memory. Raises `EngineFailed` when they stay."""
    began = time.monotonic()
    while time.monotonic() - began < EMPTY_S:
        if not client.ps():
            return
        time.sleep(0.25)
    raise EngineFailed("server", f"a model was not put out within {EMPTY_S:.0f} s of idling.")
