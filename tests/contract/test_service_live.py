"""Live sessions of the service with real engines: the same text as for a recording, and what is told of it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from live_sessions import events, finals, say
from server_process import running_server
from speech import say as spoken
from talkie.audio.encode import encode_wav
from talkie.errors import ModelNotFound, ShuttingDown, UnsupportedByModel
from talkie.runtime import metrics
from talkie.runtime.config import ServiceConfig
from talkie.runtime.model_choice import BUILT_IN, BUILT_IN_NOTICE
from talkie.runtime.requests import LiveRequest, TranscribeRequest
from talkie.runtime.service import Service
from talkie.types import SAMPLE_RATE_HZ, LiveEvent, LiveNotice, Samples, Transcript
from whisper_models import TRAINED

NAME = "whisper-test"
SAID = "open the door please"
SECOND = np.zeros(SAMPLE_RATE_HZ, np.float32)
TWICE = np.concatenate([SECOND, spoken(SAID), *[SECOND] * 5, spoken(SAID), SECOND])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    made = Service(ServiceConfig(home=tmp_path_factory.mktemp("home"), threads=1, workers=1))
    made.store.import_(TRAINED, name=NAME)
    yield made
    made.close()


def pcm(samples: Samples) -> bytes:
    return (samples * 32767).astype("<i2").tobytes()


def heard_live(service: Service, samples: Samples, request: LiveRequest) -> list[LiveEvent]:
    session = service.listen(request, door="cli")
    say(session, pcm(samples), 6400)
    session.finish()
    return events(session)


def heard_whole(service: Service, samples: Samples, model: str) -> Transcript:
    # The same rounding to 16 bits as a stream's.
    wav = io.BytesIO(encode_wav(np.frombuffer(pcm(samples), "<i2").astype(np.float32) / 32768, SAMPLE_RATE_HZ))
    *_, last = service.transcribe(wav, TranscribeRequest(model=model))
    assert isinstance(last, Transcript)
    return last


def total(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(f"talkie_{name}", labels) or 0.0


@pytest.mark.parametrize("model", [NAME, BUILT_IN])
def test_the_text_of_a_session_is_that_of_the_recording(service: Service, model: str) -> None:
    before = total("audio_seconds_total", model=model), total("live_final_seconds_count")
    told = heard_live(service, TWICE, LiveRequest(model=model))
    assert " ".join(finals(told)) == heard_whole(service, TWICE, model).text != ""
    assert len(finals(told)) == 2
    assert total("audio_seconds_total", model=model) - before[0] >= len(TWICE) / SAMPLE_RATE_HZ
    assert total("live_final_seconds_count") == before[1] + 2


def test_the_built_in_engine_says_how_to_get_a_better_one(tmp_path: Path) -> None:
    service = Service(ServiceConfig(home=tmp_path, workers=1))
    try:
        first, *_ = heard_live(service, TWICE, LiveRequest(partials=False))
        assert first == LiveNotice(BUILT_IN_NOTICE)
        named = heard_live(service, SECOND, LiveRequest(model=BUILT_IN))
        assert named == []
    finally:
        service.close()


def test_what_cannot_be_done_is_said(service: Service) -> None:
    with pytest.raises(ModelNotFound):
        service.listen(LiveRequest(model="nobody"), door="cli")
    with pytest.raises(UnsupportedByModel):
        events(service.listen(LiveRequest(language="fr"), door="cli"))
    assert service.live_sessions() == []


def test_the_end_of_the_service(tmp_path: Path) -> None:
    service = Service(ServiceConfig(home=tmp_path, workers=1))
    session = service.listen(LiveRequest(), door="cli")
    say(session, pcm(TWICE[: 2 * SAMPLE_RATE_HZ]))
    service.close()
    with pytest.raises(ShuttingDown):
        events(session)
    with pytest.raises(ShuttingDown):
        service.listen(LiveRequest(), door="cli")


def test_a_server_with_open_sockets_stops_when_it_is_asked_to(tmp_path: Path) -> None:
    with running_server(tmp_path, "--model", BUILT_IN, "--workers", "1") as server:
        server.wait_ready()
        told: list[dict[str, Any]] = []

        async def talk() -> int | None:
            async with connect(f"ws://{urlsplit(server.url).netloc}/v1/listen?client=a+phone") as socket:
                await socket.recv()
                await socket.send(pcm(TWICE[: 2 * SAMPLE_RATE_HZ]))
                [card] = (await asyncio.to_thread(server.get, "/v1/sessions")).json()["data"]
                assert (card["door"], card["model"], card["client"]) == ("listen", BUILT_IN, "a phone")
                shown = (await asyncio.to_thread(server.get, "/metrics")).text
                assert 'talkie_live_sessions{door="listen"} 1.0' in shown
                server.process.send_signal(signal.SIGTERM)
                with contextlib.suppress(ConnectionClosed):
                    while True:
                        told.append(json.loads(await asyncio.wait_for(socket.recv(), 30)))
                return socket.close_code

        assert asyncio.run(talk()) == 1013
        final, error = told[-2:]
        assert final["type"] == "final" and final["text"] and error["error"]["code"] == "shutting_down"
        assert server.stop() == 0
    log = server.log_text()
    assert '"route": "/v1/listen"' in log and "a phone" not in log
