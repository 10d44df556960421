"""The `openai` package, unchanged, against `/v1/realtime` of a running server that wants a key; and as a browser opens
it, the `websockets` package."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import openai
import pytest
from openai.types.realtime import RealtimeServerEvent
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from commands import COMMANDS
from server_process import ServerProcess, running_server
from speech import say
from whisper_models import TRAINED

pytestmark = [
    pytest.mark.xdist_group("realtime"),
    pytest.mark.skipif(not (TRAINED / "model.bin").exists(), reason="the trained test model is not here"),
]

T = TypeVar("T")
KEY = "tk_" + "r" * 32
RATE = 24_000
PIECE_BYTES = 4800
"""100 ms, as most clients send it."""
PAUSE = bytes(RATE * 2)
HEARD = "conversation.item.input_audio_transcription."
BUILT_IN = "sphinx-en"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that hears with the trained test model."""
    flags = ("--model", str(TRAINED), "--workers", "1", "--threads", "1")
    with running_server(tmp_path_factory.mktemp("realtime"), *flags, env={"TALKIE_API_KEY": KEY}) as running:
        running.wait_ready()
        yield running


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 90))


def pcm(text: str, rate: int = RATE) -> bytes:
    """Spoken, right from the first sample to the last."""
    return (np.clip(say(text, sample_rate=rate), -1, 1) * 32767).astype("<i2").tobytes()


def pieces(sound: bytes) -> Iterator[str]:
    for at in range(0, len(sound), PIECE_BYTES):
        yield base64.b64encode(sound[at : at + PIECE_BYTES]).decode()


def words(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter == " ")


@asynccontextmanager
async def connected(server: ServerProcess, **sound: Any) -> AsyncIterator[Any]:
    """A connection of the asynchronous client, its session set up."""
    client = openai.AsyncOpenAI(base_url=server.url + "/v1", api_key=KEY)
    async with client, client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        assert (await connection.recv()).type == "session.created"
        await connection.session.update(session={"type": "transcription", "audio": {"input": sound}})
        assert (await connection.recv()).type == "session.updated"
        yield connection


async def speak(connection: Any, sound: bytes) -> None:
    for piece in pieces(sound):
        await connection.input_audio_buffer.append(audio=piece)


async def until(connection: Any, kind: str, times: int = 1) -> list[RealtimeServerEvent]:
    """Events up to the one of this type, none of which is an error."""
    told: list[RealtimeServerEvent] = []
    while sum(event.type == kind for event in told) < times:
        told.append(await connection.recv())
        assert told[-1].type != "error", told[-1]
    return told


def texts(told: list[RealtimeServerEvent]) -> list[str]:
    return [words(event.transcript) for event in told if event.type == HEARD + "completed"]


def test_twenty_sayings_each_committed_arrive_word_for_word(server: ServerProcess) -> None:
    """The first word and the last of every one, on one socket."""

    async def talk() -> list[str]:
        async with connected(server, turn_detection=None) as connection:
            for text in COMMANDS:
                await speak(connection, pcm(text))
                await connection.input_audio_buffer.commit()
            told = await until(connection, HEARD + "completed", len(COMMANDS))
        committed = [event.item_id for event in told if event.type == "input_audio_buffer.committed"]
        completed = [event.item_id for event in told if event.type == HEARD + "completed"]
        assert committed == completed and len(set(committed)) == len(COMMANDS)
        assert not [event for event in told if "speech_st" in event.type]
        return texts(told)

    assert run(talk()) == list(COMMANDS)


def test_the_server_finds_where_one_stops(server: ServerProcess) -> None:
    said = COMMANDS[:3]

    async def talk() -> list[RealtimeServerEvent]:
        async with connected(server, turn_detection={"type": "server_vad", "silence_duration_ms": 400}) as connection:
            for text in said:
                await speak(connection, PAUSE + pcm(text) + PAUSE)
            return await until(connection, HEARD + "completed", len(said))

    told = run(talk())
    assert texts(told) == list(said)
    starts = [event for event in told if event.type == "input_audio_buffer.speech_started"]
    stops = [event for event in told if event.type == "input_audio_buffer.speech_stopped"]
    assert [event.item_id for event in starts] == [event.item_id for event in stops]
    times = list(itertools.chain(*((a.audio_start_ms, b.audio_end_ms) for a, b in zip(starts, stops, strict=True))))
    assert times == sorted(times) and 400 < times[0] < 1100
    deltas: dict[str, str] = {}
    for event in told:
        if event.type == HEARD + "delta":
            deltas[event.item_id] = deltas.get(event.item_id, "") + (event.delta or "")
    for event in told:
        if event.type == HEARD + "completed":
            assert event.usage.type == "duration" and event.usage.seconds > 0.5
            assert words(event.transcript).startswith(words(deltas.get(event.item_id, "")).split(" ")[0])


def test_the_synchronous_client_and_the_built_in_engine(server: ServerProcess) -> None:
    transcription: Any = {"model": BUILT_IN, "language": "en"}
    with (
        openai.OpenAI(base_url=server.url + "/v1", api_key=KEY) as client,
        client.realtime.connect(model="gpt-realtime") as connection,
    ):
        created = connection.recv()
        assert created.type == "session.created" and created.session.type == "transcription"
        connection.session.update(
            session={
                "type": "transcription",
                "audio": {"input": {"transcription": transcription, "turn_detection": {"type": "semantic_vad"}}},
                "include": ["item.input_audio_transcription.logprobs"],
            }
        )
        for piece in pieces(pcm("two three four five") + PAUSE * 2):
            connection.input_audio_buffer.append(audio=piece)
        for event in connection:
            assert event.type != "error", event
            if event.type == HEARD + "completed":
                break
    heard = words(event.transcript).split()
    assert heard[0] == "two" and heard[-1] == "five"
    assert event.logprobs and "".join(entry.token for entry in event.logprobs).split() == event.transcript.split()


def test_silence_says_nothing_and_a_commit_of_it_is_answered(server: ServerProcess) -> None:
    async def talk() -> list[RealtimeServerEvent]:
        async with connected(server) as connection:
            await speak(connection, bytes(RATE * 2 * 10))
            await connection.input_audio_buffer.commit()
            return await until(connection, HEARD + "completed")

    told = run(talk())
    assert texts(told) == [""] and told[0].type == "input_audio_buffer.committed"


def test_what_was_cleared_is_never_told(server: ServerProcess) -> None:
    async def talk() -> list[RealtimeServerEvent]:
        async with connected(server) as connection:
            await speak(connection, PAUSE + pcm("stop the music now")[:-RATE])
            told = await until(connection, "input_audio_buffer.speech_started")
            await connection.input_audio_buffer.clear()
            await speak(connection, PAUSE + pcm(COMMANDS[5]) + PAUSE)
            return told + await until(connection, HEARD + "completed")

    told = run(talk())
    kinds = [event.type for event in told]
    assert texts(told) == [COMMANDS[5]] and kinds.count("input_audio_buffer.committed") == 1
    assert kinds.count("input_audio_buffer.speech_started") == kinds.count("input_audio_buffer.speech_stopped") == 2


def test_settings_change_between_two_sentences(server: ServerProcess) -> None:
    """From turns that the server finds to commits, and from one format of sound to another."""

    async def talk() -> list[str]:
        async with connected(server) as connection:
            await speak(connection, pcm(COMMANDS[6]) + PAUSE)
            told = await until(connection, HEARD + "completed")
            sound: Any = {"turn_detection": None, "format": {"type": "audio/pcm", "rate": 16_000}}
            await connection.session.update(session={"type": "transcription", "audio": {"input": sound}})
            await speak(connection, pcm(COMMANDS[7], 16_000))
            await connection.input_audio_buffer.commit()
            return texts(told + await until(connection, HEARD + "completed"))

    assert run(talk()) == [COMMANDS[6], COMMANDS[7]]


def test_the_example_of_the_guide(server: ServerProcess, tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "realtime.md").read_text(encoding="utf-8")
    example = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)[0]
    assert "http://127.0.0.1:8000" in example and '"none"' in example
    program, recording = tmp_path / "example.py", tmp_path / "speech.raw"
    program.write_text(example.replace("http://127.0.0.1:8000", server.url).replace('"none"', repr(KEY)))
    recording.write_bytes(pcm(COMMANDS[8]))
    said = subprocess.run([sys.executable, program, recording], capture_output=True, text=True, timeout=60, check=True)
    assert words(said.stdout.splitlines()[-1]) == COMMANDS[8]


def test_an_error_is_theirs_and_ends_nothing(server: ServerProcess) -> None:
    async def talk() -> Any:
        async with connected(server, turn_detection=None) as connection:
            await connection.input_audio_buffer.commit(event_id="mine")
            refused = await connection.recv()
            await connection.response.create()
            unknown = await connection.recv()
            await speak(connection, pcm(COMMANDS[0]))
            await connection.input_audio_buffer.commit()
            return refused, unknown, texts(await until(connection, HEARD + "completed"))

    refused, unknown, heard = run(talk())
    assert refused.type == unknown.type == "error" and heard == [COMMANDS[0]]
    assert refused.error.code == "input_audio_buffer_commit_empty" and refused.error.event_id == "mine"
    assert unknown.error.code == "invalid_value" and unknown.error.param == "type"


def test_a_wrong_key(server: ServerProcess) -> None:
    with (
        openai.OpenAI(base_url=server.url + "/v1", api_key="wrong") as client,
        pytest.raises(Exception, match="401"),
        client.realtime.connect(model="gpt-realtime"),
    ):
        pass


# -- as a browser opens it ---------------------------------------------------------------------------------------------


def page(server: ServerProcess, *, key: str = KEY, beta: bool = False) -> ClientConnection:
    offered = ["realtime", f"openai-insecure-api-key.{key}", *(["openai-beta.realtime-v1"] if beta else [])]
    url = server.url.replace("http", "ws", 1)
    protocols = [Subprotocol(name) for name in offered]
    return connect(f"{url}/v1/realtime?intent=transcription", subprotocols=protocols, origin=server.url, proxy=None)  # type: ignore[arg-type]


def test_a_browser_with_the_older_names(server: ServerProcess) -> None:
    with page(server, beta=True) as socket:
        assert socket.subprotocol == "realtime"
        told = [json.loads(socket.recv(60)), json.loads(socket.recv(60))]
        assert [event["type"] for event in told] == ["session.created", "transcription_session.created"]
        settings = {"input_audio_format": "pcm16", "turn_detection": None}
        socket.send(json.dumps({"type": "transcription_session.update", "session": settings}))
        for piece in pieces(pcm(COMMANDS[1])):
            socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": piece}))
        socket.send(json.dumps({"type": "input_audio_buffer.commit"}))
        while told[-1]["type"] != HEARD + "completed":
            told.append(json.loads(socket.recv(60)))
    kinds = [event["type"] for event in told]
    assert "transcription_session.updated" in kinds and "conversation.item.created" in kinds
    assert words(told[-1]["transcript"]) == COMMANDS[1]


def test_telephone_sound(server: ServerProcess) -> None:
    samples = np.frombuffer(pcm(COMMANDS[4], 8000), "<i2").astype(np.float32) / 32768
    coded = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256)
    sound = (~(np.where(coded < 0, 0x80, 0) | (np.abs(coded) * 127).astype(np.uint8))).astype(np.uint8).tobytes()

    async def talk() -> list[str]:
        async with connected(server, turn_detection=None, format={"type": "audio/pcmu"}) as connection:
            await speak(connection, sound)
            await connection.input_audio_buffer.commit()
            return texts(await until(connection, HEARD + "completed"))

    assert run(talk())[0], "eight thousand samples a second are enough to hear something"


def test_who_leaves_leaves_no_session_and_one_can_be_ended(server: ServerProcess) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}

    def sessions() -> list[str]:
        listed = httpx.get(f"{server.url}/v1/sessions", headers=headers).json()["data"]
        return [session["id"] for session in listed if session["door"] == "realtime"]

    def appear(times: int) -> list[str]:
        for _ in range(600):
            if len(found := sessions()) == times:
                return found
            waiting.wait(0.05)
        pytest.fail(f"not {times} sessions, but {sessions()}")

    waiting = threading.Event()
    appear(0)
    with page(server) as socket:
        socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(PAUSE).decode()}))
        [session_id] = appear(1)
        socket.socket.shutdown(2)
        appear(0)
    with page(server) as socket:
        socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(PAUSE).decode()}))
        [session_id] = appear(1)
        assert httpx.delete(f"{server.url}/v1/sessions/{session_id}", headers=headers).status_code == 200
        with pytest.raises(ConnectionClosed) as closed:
            while (told := json.loads(socket.recv(60)))["type"] != "nothing":
                last = told
    assert last["type"] == "error" and last["error"]["code"] == "session_ended"
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
    assert KEY not in server.log_text() and COMMANDS[0] not in server.log_text()
