"""The `openai` package, unchanged, asks a running server to speak: every format, streams, events, voices and errors."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import av
import httpx
import numpy as np
import openai
import pytest

from server_fixtures import ON_SERVER, speech_wav
from server_process import ServerProcess

pytestmark = ON_SERVER

TEXT = "Good morning. It is seven o'clock, and the sun is up."
LONG = "This sentence is one of very many that nobody will wait for. " * 1000
FORMATS = ("mp3", "opus", "aac", "flac", "wav")
VOICES = ("alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse", "marin",
          "cedar")  # fmt: skip
STOP_S = 30.0


@pytest.fixture
def client(server: ServerProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0, timeout=60) as made:
        yield made


def decoded(data: bytes) -> tuple[float, float]:
    """Seconds, and the loudest sample."""
    with av.open(io.BytesIO(data)) as file:
        resampler = av.AudioResampler("flt", "mono", 48_000)
        frames = [part.to_ndarray() for frame in file.decode(audio=0) for part in resampler.resample(frame)]
    samples = np.concatenate(frames, axis=1)[0]
    return len(samples) / 48_000, float(np.max(np.abs(samples)))


def pcm_seconds(client: openai.OpenAI, **more: Any) -> float:
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT, response_format="pcm", **more)
    return len(answer.content) / 2 / 24_000


@pytest.mark.parametrize("response_format", FORMATS)
def test_every_format_is_whole_and_of_the_right_length(client: openai.OpenAI, response_format: Any) -> None:
    answer = client.audio.speech.create(model="tts-1", voice="alloy", input=TEXT, response_format=response_format)
    seconds, peak = decoded(answer.content)
    assert abs(seconds - pcm_seconds(client)) < 0.05 and peak > 0.05
    assert 2 < seconds < 8


def test_mp3_is_the_default(client: openai.OpenAI) -> None:
    answer = client.audio.speech.create(model="gpt-4o-mini-tts", voice="nova", input="Hello.", instructions="Be glad.")
    assert answer.response.headers["content-type"] == "audio/mpeg"
    assert decoded(answer.content)[0] > 0.2


@pytest.mark.parametrize("voice", VOICES)
def test_openais_voices_work(client: openai.OpenAI, voice: str) -> None:
    answer = client.audio.speech.create(model="tts-1-hd", voice=voice, input="Yes.", response_format="wav")
    seconds, peak = decoded(answer.content)
    assert 0.15 < seconds < 3 and peak > 0.05


def test_a_response_that_streams(client: openai.OpenAI) -> None:
    ask = client.audio.speech.with_streaming_response
    with ask.create(model="tts-1", voice="alloy", input=TEXT, response_format="wav") as answer:
        pieces = list(answer.iter_bytes(4096))
    assert len(pieces) > 5 and decoded(b"".join(pieces))[0] > 2


def told(server: ServerProcess) -> list[str]:
    """The lines of the log about speech; each is written when its answer has ended."""
    return [line for line in server.log_text().splitlines() if "POST /v1/audio/speech" in line]


def wait_for_the_end(server: ServerProcess, before: list[str]) -> dict[str, Any]:
    deadline = time.monotonic() + STOP_S
    while len(now := told(server)) == len(before) and time.monotonic() < deadline:
        time.sleep(0.05)
    (line,) = now[len(before) :]
    return dict(json.loads(line))


def test_speech_begins_long_before_it_ends(client: openai.OpenAI, server: ServerProcess) -> None:
    before = told(server)
    ask = client.audio.speech.with_streaming_response
    with ask.create(model="tts-1", voice="alloy", input=LONG, response_format="pcm") as answer:
        first = next(answer.iter_bytes(1024))
    assert len(first) == 1024  # an hour of speech, of which a moment was waited for
    assert wait_for_the_end(server, before)["audio_s"] < 600


def test_events(client: openai.OpenAI) -> None:
    answer = client.audio.speech.create(
        model="gpt-4o-mini-tts", voice="alloy", input="Hello brave new world.", stream_format="sse",
        response_format="pcm", extra_body={"visemes": True},
    )  # fmt: skip
    assert answer.response.headers["content-type"].startswith("text/event-stream")
    *told, done = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]
    sound = b"".join(base64.b64decode(item["audio"]) for item in told if item["type"] == "speech.audio.delta")
    marks = [mark for item in told if item["type"] == "speech.audio.marks" for mark in item["marks"]]
    seconds = len(sound) / 2 / 24_000
    assert done["type"] == "speech.audio.done" and abs(done["usage"]["seconds"] - seconds) < 0.01
    words = [mark for mark in marks if mark["kind"] == "word"]
    assert [mark["text"].strip(".") for mark in words] == ["Hello", "brave", "new", "world"]
    starts = [mark["start"] for mark in words]
    assert starts == sorted(starts) and all(0 <= mark["start"] <= mark["end"] <= seconds + 0.01 for mark in marks)
    assert any(mark["kind"] == "viseme" for mark in marks)


def test_speed(client: openai.OpenAI) -> None:
    assert pcm_seconds(client, speed=2.0) < 0.75 * pcm_seconds(client) < 0.75 * pcm_seconds(client, speed=0.5)


def test_errors_arrive_as_the_package_knows_them(client: openai.OpenAI) -> None:
    def error(kind: type[openai.APIStatusError], **fields: Any) -> tuple[str | None, str | None]:
        with pytest.raises(kind) as caught:
            client.audio.speech.create(**{"model": "tts-1", "voice": "alloy", "input": "Hello.", **fields})
        return caught.value.code, caught.value.param

    assert error(openai.NotFoundError, voice="nobody-at-all") == ("voice_not_found", "voice")
    assert error(openai.NotFoundError, model="no-such-model") == ("model_not_found", "model")
    assert error(openai.BadRequestError, input=" \n") == ("nothing_to_say", "input")
    assert error(openai.BadRequestError, speed=9) == ("invalid_value", "speed")
    assert error(openai.BadRequestError, response_format="midi") == ("invalid_value", "response_format")
    assert error(openai.BadRequestError, input="<speak>one\n<p>two</speak>") == ("bad_ssml", "input")
    assert error(openai.APIStatusError, input="word " * 200_000) == ("text_too_long", "input")


def test_the_asynchronous_client(server: ServerProcess) -> None:
    async def go() -> list[bytes]:
        async with openai.AsyncOpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0, timeout=60) as client:
            ask = client.audio.speech.create
            answers = [ask(model="tts-1", voice="echo", input=f"Number {n}.", response_format="wav") for n in range(6)]
            return [answer.content for answer in await asyncio.gather(*answers)]

    assert all(decoded(data)[1] > 0.05 for data in asyncio.run(go()))


def test_voices_are_listed_as_programs_look_for_them(server: ServerProcess) -> None:
    found = server.get("/v1/audio/voices").json()
    assert len(found["voices"]) > 50 and all({"id", "name"} <= set(voice) for voice in found["voices"])
    names = {voice["id"] for voice in found["voices"]}
    assert {"de", "en-us"} <= names


def test_the_client_makes_a_voice_or_learns_why_not(client: openai.OpenAI) -> None:
    """Without an engine that imitates, the answer is an error that says how to get one."""
    try:
        made = client.audio.voices.create(name="Ann", audio_sample=("a.wav", speech_wav()), consent="cons_1")
    except openai.BadRequestError as error:
        assert error.code and "hint" in json.dumps(error.body)
    else:
        assert made.object == "audio.voice" and made.name == "Ann"
        assert client.audio.voices.delete(made.id).deleted


def test_who_hangs_up_stops_the_speech(server: ServerProcess) -> None:
    """An hour of speech is asked for and left; the server is soon rid of it."""
    before = told(server)
    body = {"input": LONG, "response_format": "wav"}
    with httpx.stream("POST", server.url + "/v1/audio/speech", json=body, timeout=60) as answer:
        assert answer.status_code == 200 and next(answer.iter_bytes())
    assert wait_for_the_end(server, before)["audio_s"] < 600
