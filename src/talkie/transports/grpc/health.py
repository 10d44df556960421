"""`grpc.health.v1` and server reflection, by the packages of gRPC.

Whether the server as a whole is ready is public, as `/readyz` is: what asks is a balancer without a key. What its
services are, and reflection, is told to those who show a key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.message import Message
from grpc import StatusCode
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection import aio

from talkie.transports.grpc.access import ANY_KEY
from talkie.transports.grpc.call import Call
from talkie.transports.grpc.errors import NotServed, Refusal
from talkie.transports.grpc.methods import Methods
from talkie.transports.http.door import SpeechService
from talkie.transports.http.work import Gate
from talkie.transports.keys import PUBLIC

HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"]
REFLECTION = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]
WATCH_EVERY_S = 1.0
UNKNOWN = Refusal(StatusCode.NOT_FOUND, "There is no such service here.", "unknown_service")


class Health:
    """Answers are made when they are asked for: the service knows best whether it is ready."""

    def __init__(self, service: SpeechService, gate: Gate, methods: Methods) -> None:
        self._service, self._gate, self._methods = service, gate, methods

    def open(self, methods: Methods) -> None:
        methods.open(HEALTH, "Check", self.check, scope=scope_of, quiet=True)
        methods.open(HEALTH, "Watch", self.watch, scope=ANY_KEY, quiet=True)
        if "List" in HEALTH.methods_by_name:
            methods.open(HEALTH, "List", self.list, scope=ANY_KEY, quiet=True)

    async def check(self, call: Call) -> None:
        asked = await call.first(health_pb2.HealthCheckRequest)
        if asked.service and asked.service not in self._methods.services:
            raise NotServed(UNKNOWN)
        await call.write(await self._now())

    async def watch(self, call: Call) -> None:
        """The state now and whenever it changes, until the client leaves."""
        asked = await call.first(health_pb2.HealthCheckRequest)
        known = not asked.service or asked.service in self._methods.services
        told: health_pb2.HealthCheckResponse | None = None
        while True:
            state = await self._now() if known else _state(health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
            if state != told:
                await call.write(state)
            told = state
            await asyncio.sleep(WATCH_EVERY_S)

    async def list(self, call: Call) -> None:
        await call.first(health_pb2.HealthListRequest)
        state = await self._now()
        await call.write(health_pb2.HealthListResponse(statuses=dict.fromkeys(("", *self._methods.services), state)))

    async def _now(self) -> health_pb2.HealthCheckResponse:
        ok = not self._gate.closed and (await asyncio.to_thread(self._service.ready)).ok
        kinds = health_pb2.HealthCheckResponse
        return _state(kinds.SERVING if ok else kinds.NOT_SERVING)


def scope_of(asked: Message) -> str:
    """Public is the state of the whole, and no more."""
    assert isinstance(asked, health_pb2.HealthCheckRequest)
    return ANY_KEY if asked.service else PUBLIC


def _state(status: Any) -> health_pb2.HealthCheckResponse:
    return health_pb2.HealthCheckResponse(status=status)


def open_reflection(methods: Methods) -> None:
    """What `grpcurl` and the like ask for: the services that are served, and their messages."""
    kind = reflection_pb2.ServerReflectionRequest
    servicer = aio.ReflectionServicer(service_names=sorted((*methods.services, REFLECTION.full_name)))

    async def reflect(call: Call) -> None:
        async def requests() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
            while (request := await call.read(kind)) is not None:
                yield request

        async for answer in servicer.ServerReflectionInfo(requests(), None):
            await call.write(answer)

    methods.open(REFLECTION, "ServerReflectionInfo", reflect, scope=ANY_KEY)
