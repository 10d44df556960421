"""`/v1/models`, `/v1/models/{id}` and `/v1/ps`: what can be used, and what is in memory."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request
from starlette.responses import Response

from talkie.errors import ModelNotFound
from talkie.transports.http.access import open_route
from talkie.transports.http.door import door_of
from talkie.transports.http.schema import ERRORS, MODEL, MODEL_LIST, json_answer
from talkie.wire.openai import JSON, loaded_list, model, model_list, to_json

SCOPE = "models:read"


def add_models(app: FastAPI) -> None:
    open_route(
        app,
        "GET",
        "/v1/models",
        list_models,
        scope=SCOPE,
        tags=["models"],
        summary="The models that are here",
        responses={200: json_answer("All models", MODEL_LIST), **ERRORS},
    )
    open_route(
        app,
        "GET",
        "/v1/models/{model_id:path}",
        show_model,
        scope=SCOPE,
        tags=["models"],
        summary="One model",
        responses={200: json_answer("The model", MODEL), **ERRORS},
    )
    open_route(
        app,
        "GET",
        "/v1/ps",
        list_loaded,
        scope=SCOPE,
        tags=["models"],
        summary="The models in memory",
        responses={200: json_answer("Models in memory", {"type": "object"}), **ERRORS},
    )


async def list_models(request: Request) -> Response:
    return _json(model_list(await asyncio.to_thread(door_of(request).service.models)))


async def show_model(request: Request, model_id: str) -> Response:
    for entry in await asyncio.to_thread(door_of(request).service.models):
        if entry.id == model_id:
            return _json(model(entry))
    raise ModelNotFound(model_id[:80])


async def list_loaded(request: Request) -> Response:
    return _json(loaded_list(await asyncio.to_thread(door_of(request).service.loaded)))


def _json(value: object) -> Response:
    return Response(to_json(value), media_type=JSON)
