"""`/v1/audio/transcriptions` and `/v1/audio/translations`: an upload in, a transcript or a stream of its pieces out.

Knows the order of the steps and nothing of what is in them: `upload` receives, `wire` reads the fields and writes the
answer, `work` runs the service off the event loop.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from talkie.errors import Cancelled, EngineFailed, TalkieError
from talkie.transports.http.access import open_route
from talkie.transports.http.door import Door, door_of
from talkie.transports.http.edge import AUDIO_S
from talkie.transports.http.errors import INTERNAL, error_response, log_fault, words_of
from talkie.transports.http.held import HeldStream
from talkie.transports.http.schema import transcription_operation
from talkie.transports.http.upload import Upload, receive_upload
from talkie.transports.http.work import Heard, while_connected, working
from talkie.types import Notice, Segment, Task, Transcript
from talkie.wire.fields import TranscriptionCall, parse_call
from talkie.wire.openai import EVENT_STREAM, answer, delta_event, done_event, event

SCOPE = "transcribe"


def add_audio(app: FastAPI) -> None:
    for task, path in (("transcribe", "/v1/audio/transcriptions"), ("translate", "/v1/audio/translations")):
        open_route(
            app, "POST", path, _endpoint(task), scope=SCOPE, name=task, **transcription_operation(task)
        )  # fmt: skip


def _endpoint(task: str) -> Any:
    async def transcribe(request: Request) -> Response:
        return await _transcribe(request, "translate" if task == "translate" else "transcribe")

    return transcribe


async def _transcribe(request: Request, task: Task) -> Response:
    """Everything opened for the request stays open until its answer is out, and is closed in every case."""
    door = door_of(request)
    async with AsyncExitStack() as stack:
        stack.enter_context(door.gate.enter())
        try:
            upload = await stack.enter_async_context(receive_upload(request, door.uploads))
            call = parse_call(upload.fields, task)
            if call.stream:
                return await _stream(request, _work(door, upload, call), call, stack)
            async with while_connected(request), _work(door, upload, call) as heard:
                transcript = await _whole(heard)
        except Cancelled as error:
            return error_response(error)  # nobody reads it; the log says 499
    request.scope[AUDIO_S] = transcript.duration_s
    whole = answer(transcript, call)
    headers = {"Talkie-Warning": _header(whole.warnings)} if whole.warnings else None
    return Response(whole.body, headers=headers, media_type=whole.media_type)


def _work(door: Door, upload: Upload, call: TranscriptionCall) -> Any:
    start = partial(door.service.transcribe, upload.file, call.request)
    return working(start, door.uploads.idle_s)


async def _whole(heard: AsyncIterator[Heard]) -> Transcript:
    async for item in heard:
        if isinstance(item, Transcript):
            return item
    raise EngineFailed("service", "it ended without a transcript")


async def _stream(request: Request, work: Any, call: TranscriptionCall, stack: AsyncExitStack) -> Response:
    """Events. The first is waited for, so that what is refused at once is answered by its status; in line or before
    anybody speaks that may take long, so a client that leaves meanwhile is noticed here."""
    heard = await stack.enter_async_context(work)
    async with while_connected(request):
        first = await anext(heard, None)
    scope, held = request.scope, stack.pop_all()

    async def events() -> AsyncGenerator[bytes, None]:
        async with held:
            async for item in _events(first, heard, call):
                if isinstance(item, Transcript):
                    scope[AUDIO_S] = item.duration_s
                    yield done_event(item, call)
                else:
                    yield item

    return HeldStream(events(), held, EVENT_STREAM)


async def _events(
    first: Heard | None, heard: AsyncIterator[Heard], call: TranscriptionCall
) -> AsyncIterator[bytes | Transcript]:
    """Deltas that join to the whole text, then the transcript; an error in the midst is an event as well."""
    begun = False
    item = first
    try:
        while item is not None:
            if isinstance(item, Transcript):
                yield item
                return
            text = _text(item)
            if text:
                yield delta_event(text, first=not begun, heard=item)
                begun = True
            item = await anext(heard, None)
    except TalkieError as error:
        yield event(words_of(error).body())
    except Exception as error:
        log_fault(error)
        yield event(INTERNAL.body())


def _text(item: Segment) -> str:
    return item.text.strip()


def _header(notices: tuple[Notice, ...]) -> str:
    """Codes only: sentences may hold what a header may not."""
    return ", ".join(re.sub(r"[^a-z0-9_]", "", notice.code) for notice in notices)
