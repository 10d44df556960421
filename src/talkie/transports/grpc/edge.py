"""The outermost layer of the gRPC door: every call goes through here, into its method or into a refusal.

One log line and one count a call; no fault gets past it. Knows nothing of what methods do. Nothing personal is logged:
the name of a method that we have, no metadata, no address, no text.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Any

import grpc

from talkie.errors import ShuttingDown, TalkieError
from talkie.runtime.metrics import Counter, Histogram
from talkie.transports.grpc.access import ANY_KEY, Access
from talkie.transports.grpc.call import Call
from talkie.transports.grpc.errors import INTERNAL, NO_METHOD, TOO_LATE, NotServed, Refusal, answer, refusal_of
from talkie.transports.grpc.methods import Method, Methods
from talkie.transports.http.errors import log_fault
from talkie.transports.http.work import STUCK_S, Gate

log = logging.getLogger("talkie.grpc")

UNKNOWN_METHOD = "(none)"
STRANGERS = 8
"""Callers without a key whose first message may be read at once, where it is needed to know what they ask for."""
STRANGER_S = 5.0

GRPC_CALLS = Counter("talkie_grpc_calls", "gRPC calls ended, by method and code", ["method", "code"])
GRPC_SECONDS = Histogram(
    "talkie_grpc_seconds",
    "Seconds from the start of a gRPC call to its status",
    ["method"],
    buckets=(0.005, 0.025, 0.1, 0.5, 1, 5, 30, 300),
)


class Edge(grpc.GenericRpcHandler):
    """Answers every call. Messages stay bytes until a handler reads them, so nothing is read before the key is."""

    def __init__(self, methods: Methods, access: Access, gate: Gate, *, read_s: float) -> None:
        self._methods, self._access, self._gate, self._read_s = methods, access, gate, read_s
        self._strangers = Gate(STRANGERS)
        self._running: dict[asyncio.Task[Any], bool] = {}
        self._stopping = False

    def service(self, handler_call_details: Any) -> Any:
        """gRPC's question for the handler of a call that was not registered."""
        return self.handler(self._methods.find(handler_call_details.method))

    def handler(self, method: Method | None) -> Any:
        """One kind for all: which of the four a method is makes no difference on the wire."""

        async def handle(_requests: Any, context: Any) -> None:
            await self._handle(method, context)

        return grpc.stream_stream_rpc_method_handler(handle)

    async def stop(self, grace_s: float) -> None:
        """Take in nothing more; end what streams at once, and the rest in `grace_s`, with `shutting_down`."""
        self._stopping = True
        for task in [task for task, endless in self._running.items() if endless]:
            task.cancel()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace_s)
            for task in late:
                task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=STUCK_S)

    async def _handle(self, method: Method | None, context: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running[task] = method is not None and method.endless
        began, status = time.monotonic(), grpc.StatusCode.CANCELLED
        call = Call(context, read_s=self._read_s)
        try:
            refusal = await self._outcome(self._run(method, call), call)
            status = refusal.status if refusal else grpc.StatusCode.OK
            if refusal:
                answer(context, refusal)
        finally:
            self._running.pop(task)
            _report(method, status, time.monotonic() - began, call.audio_s)

    async def _outcome(self, work: Awaitable[None], call: Call) -> Refusal | None:
        """How the call ends; None: well. Raises only `CancelledError`, when the client has gone."""
        try:
            async with asyncio.timeout(call.time_left_s) as deadline:
                await work
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._stopping or task is None:
                raise
            task.uncancel()
            return refusal_of(ShuttingDown())
        except NotServed as error:
            return error.refusal
        except TalkieError as error:
            refusal = refusal_of(error)
            if refusal.status is grpc.StatusCode.INTERNAL:
                log_fault(error)
            return refusal
        except Exception as error:
            if isinstance(error, TimeoutError) and deadline.expired():
                return TOO_LATE
            log_fault(error)
            return INTERNAL
        return None

    async def _run(self, method: Method | None, call: Call) -> None:
        if self._stopping or (self._gate.closed and not (method and method.quiet)):  # health says it in its own way
            raise ShuttingDown
        if method is None:
            self._access.admit(call, ANY_KEY)
            raise NotServed(NO_METHOD)
        scope = method.scope
        if not isinstance(scope, str):
            with self._strangers.enter():
                scope = scope(await call.peek(method.kind, STRANGER_S))
        self._access.admit(call, scope)
        await method.behaviour(call)


def _report(method: Method | None, status: grpc.StatusCode, took_s: float, audio_s: float | None) -> None:
    name, code = method.path if method else UNKNOWN_METHOD, status.name
    GRPC_CALLS.labels(name, code).inc()
    GRPC_SECONDS.labels(name).observe(took_s)
    facts: dict[str, object] = {"method": name, "code": code, "ms": round(took_s * 1000)}
    line = f"gRPC {name} {code} {facts['ms']} ms"
    if audio_s is not None:
        facts["audio_s"] = round(audio_s, 2)
        line += f" {audio_s:.1f} s of audio"
    quiet = method is not None and method.quiet
    log.log(logging.DEBUG if quiet else logging.INFO, line, extra={"facts": facts})
