"""`/healthz` (alive), `/readyz` (ready, or what is not), `/metrics`. Knows nothing of what is measured."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from talkie.runtime import metrics
from talkie.transports.http.access import open_route
from talkie.transports.http.door import door_of, is_known
from talkie.transports.keys import PUBLIC

READY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["ready"],
    "properties": {
        "ready": {"type": "boolean"},
        "parts": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def add_health(app: FastAPI) -> None:
    """With these routes everything is counted from now on; no process without them pays for it."""
    metrics.count()
    ready = {"content": {"application/json": {"schema": READY_SCHEMA}}}
    open_route(app, "GET", "/healthz", healthz, scope=PUBLIC, tags=["state"], summary="Is the process alive?")
    open_route(
        app,
        "GET",
        "/readyz",
        readyz,
        scope=PUBLIC,
        tags=["state"],
        summary="Is it ready to work, and which part is not?",
        responses={
            200: {"description": "Ready", **ready},
            503: {"description": "Not ready: `parts` says why", **ready},
        },
    )
    open_route(
        app,
        "GET",
        "/metrics",
        show_metrics,
        scope="metrics",
        tags=["state"],
        summary="Prometheus metrics",
        responses={200: {"description": "Prometheus text format", "content": {"text/plain": {}}}},
        response_class=Response,
    )
    for path, endpoint in (("/healthz", healthz), ("/readyz", readyz)):  # probes of proxies use HEAD
        open_route(app, "HEAD", path, endpoint, scope=PUBLIC, include_in_schema=False)


async def healthz() -> Response:
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """503 while a part is loading, missing or failing. What the parts are is told to callers who are known."""
    door = door_of(request)
    if door.gate.closed:
        ready, parts = False, {"server": "shutting down"}
    else:
        readiness = await asyncio.to_thread(door.service.ready)
        ready, parts = readiness.ok, dict(readiness.parts)
    body = {"ready": ready, "parts": parts} if is_known(request) else {"ready": ready}
    return JSONResponse(body, 200 if ready else 503)


async def show_metrics() -> Response:
    return Response(await asyncio.to_thread(metrics.render), headers={"Content-Type": metrics.CONTENT_TYPE})
