"""The HTTP application in this process, without a socket: for tests of what is in front of the service."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

from fakes_service import FakeService
from talkie.transports.http.access import AccessRules
from talkie.transports.http.app import create_app
from talkie.transports.http.door import Door
from talkie.transports.http.origins import HostNames, Origins
from talkie.transports.http.upload import UploadLimits
from talkie.transports.http.work import Gate
from talkie.transports.keys import KeyRing

T = TypeVar("T")
TRANSCRIBE = "/v1/audio/transcriptions"
BASE = "http://localhost:8000"


def make_app(
    directory: Path,
    service: FakeService | None = None,
    *,
    keys: KeyRing | None = None,
    origins: tuple[str, ...] = (),
    max_bytes: int = 100_000,
    idle_s: float = 5.0,
    places: int = 8,
) -> FastAPI:
    rules = AccessRules(keys or KeyRing(), HostNames(["talkie.example"]), Origins(origins))
    limits = UploadLimits(directory, max_bytes, idle_s)
    return create_app(Door(service or FakeService(), limits, rules, Gate(places)))


def client(app: FastAPI, **more: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=BASE, **more)


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, within a time that no good test needs."""
    return asyncio.run(asyncio.wait_for(work, 30))


def ask(app: FastAPI, method: str, path: str, **more: Any) -> httpx.Response:
    """One request and its answer."""

    async def one() -> httpx.Response:
        async with client(app) as http:
            return await http.request(method, path, **more)

    return run(one())


def post(app: FastAPI, file: bytes = b"sound", **fields: Any) -> httpx.Response:
    """A recording and fields, as a form."""
    return ask(app, "POST", TRANSCRIBE, files={"file": ("canary-name.wav", file)}, data=fields)
