"""The gRPC door in this process, on a free port, in front of a fake service; and a channel to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from fakes_service import FakeService
from talkie.transports.grpc.server import GrpcDoor
from talkie.transports.http.access import AccessRules
from talkie.transports.http.origins import HostNames, Origins
from talkie.transports.http.throttle import Throttle
from talkie.transports.http.upload import UploadLimits
from talkie.transports.http.work import Gate
from talkie.transports.keys import KeyRing
from talkie.wire.protos.talkie.v1 import talkie_pb2 as pb
from talkie.wire.protos.talkie.v1.talkie_pb2_grpc import SpeechStub

SECOND = b"\0" * 32_000
"""One second of silence as the fake counts it: 16 kHz, 16 bits."""


@dataclass
class Opened:
    door: GrpcDoor
    channel: grpc.aio.Channel
    service: FakeService
    speech: SpeechStub


@contextlib.asynccontextmanager
async def opened(
    directory: Path,
    service: FakeService | None = None,
    *,
    keys: KeyRing | None = None,
    max_bytes: int = 100_000,
    idle_s: float = 20.0,
    places: int = 8,
    grace_s: float = 5.0,
    origins: tuple[str, ...] = (),
    throttle: Throttle | None = None,
) -> AsyncIterator[Opened]:
    service = service or FakeService()
    rules = AccessRules(keys or KeyRing(), HostNames(), Origins(origins), throttle or Throttle())
    limits = UploadLimits(directory, max_bytes, idle_s)
    gate = Gate(places)
    async with (
        GrpcDoor(service, rules, "127.0.0.1", 0, limits, gate=gate, grace_s=grace_s) as door,
        grpc.aio.insecure_channel(f"127.0.0.1:{door.port}") as channel,
    ):
        yield Opened(door, channel, service, SpeechStub(channel))


def bearer(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)


async def refused(call: Any) -> grpc.aio.AioRpcError:
    """The error that a call or a stream ends in."""
    try:
        if hasattr(call, "__aiter__"):
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("the call ended well")


def code_of(error: grpc.aio.AioRpcError) -> str:
    """Our stable code, of the trailing metadata."""
    return str(dict(error.trailing_metadata()).get("talkie-code", ""))


def config(**fields: Any) -> pb.StreamingRecognizeRequest:
    """A first message, for 16-bit sound at 16 kHz."""
    raw = pb.RawAudio(sample_rate_hz=16_000)
    inner = fields.pop("config", None) or pb.RecognitionConfig(raw=raw)
    return pb.StreamingRecognizeRequest(config=pb.StreamingConfig(config=inner, **fields))


def sound(data: bytes = SECOND) -> pb.StreamingRecognizeRequest:
    return pb.StreamingRecognizeRequest(audio=data)


COMMIT = pb.StreamingRecognizeRequest(commit=pb.Commit())
CLEAR = pb.StreamingRecognizeRequest(clear=pb.Clear())


async def in_turn(*messages: Any) -> AsyncIterator[Any]:
    """These, and then the client half-closes."""
    for message in messages:
        yield message


async def and_wait(*messages: Any) -> AsyncIterator[Any]:
    """These, and then nothing: grpc.aio's client loses the status of a call that ends while it writes."""
    for message in messages:
        yield message
    await asyncio.Event().wait()
