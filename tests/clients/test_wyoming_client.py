"""The `wyoming` package, unchanged, against a running server: as Home Assistant uses it, and what else it can ask."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest

from commands import COMMANDS
from ports import free_port
from server_process import ServerProcess, running_server
from speech import say
from talkie.text.wer import word_error_rate
from whisper_models import TRAINED

with warnings.catch_warnings():  # the package asks for audioop, which Python will drop
    warnings.simplefilter("ignore", DeprecationWarning)
    from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
    from wyoming.audio import AudioChunk, AudioStart, AudioStop
    from wyoming.client import AsyncTcpClient
    from wyoming.error import Error
    from wyoming.event import Event
    from wyoming.info import Describe, Info
    from wyoming.ping import Ping, Pong

pytestmark = [
    pytest.mark.xdist_group("wyoming"),
    pytest.mark.skipif(not (TRAINED / "model.bin").exists(), reason="the trained test model is not here"),
]

T = TypeVar("T")
RATE, WIDTH, CHANNELS = 16_000, 2, 1
CHUNK_SAMPLES = 1024
PATIENCE_S = 60.0
BUILT_IN = "sphinx-en"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, int]]:
    """A server that hears with the trained test model, and its Wyoming port."""
    port = free_port()
    flags = ("--model", str(TRAINED), "--workers", "1", "--threads", "1", "--wyoming-port", str(port))
    with running_server(tmp_path_factory.mktemp("wyoming"), *flags) as server:
        server.wait_ready()
        yield server, port


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, PATIENCE_S))


def pcm(text: str) -> bytes:
    """Spoken, right from the first sample to the last."""
    return (say(text) * 32767).astype("<i2").tobytes()


async def speak(client: AsyncTcpClient, sound: bytes) -> None:
    await client.write_event(AudioStart(rate=RATE, width=WIDTH, channels=CHANNELS).event())
    for at in range(0, len(sound), CHUNK_SAMPLES * WIDTH):
        audio = sound[at : at + CHUNK_SAMPLES * WIDTH]
        await client.write_event(AudioChunk(rate=RATE, width=WIDTH, channels=CHANNELS, audio=audio).event())
    await client.write_event(AudioStop().event())


async def home_assistant(port: int, sound: bytes, language: str = "en") -> str | None:
    """What its speech-to-text entity does: one connection an utterance, and everything but a transcript passed over."""
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Transcribe(language=language).event())
        await speak(client, sound)
        while True:
            event = await client.read_event()
            if event is None:  # the connection is lost: the entity fails
                return None
            if Transcript.is_type(event.type):
                return Transcript.from_event(event).text


async def until(client: AsyncTcpClient, last: type) -> list[Event]:
    events: list[Event] = []
    while not events or not last.is_type(events[-1].type):  # type: ignore[attr-defined]
        event = await client.read_event()
        assert event is not None, events
        events.append(event)
    return events


def from_file(server: ServerProcess, sound: bytes) -> str:
    """What the same sound says as a file."""
    form = {"sample_rate": str(RATE), "language": "en"}
    answer = httpx.post(server.url + "/v1/audio/transcriptions", files={"file": sound}, data=form, timeout=PATIENCE_S)
    return str(answer.json()["text"])


def test_what_it_says_of_itself(place: tuple[ServerProcess, int]) -> None:
    async def ask() -> Info:
        async with AsyncTcpClient("127.0.0.1", place[1]) as client:
            await client.write_event(Describe().event())
            async with asyncio.timeout(1):  # Home Assistant's own patience
                event = await client.read_event()
            assert event is not None and Info.is_type(event.type)
            return Info.from_event(event)

    [program] = run(ask()).asr
    assert program.name == "talkie" and program.installed and program.supports_transcript_streaming
    models = {model.name: model for model in program.models}
    assert models[BUILT_IN].languages == ["en"] and models[BUILT_IN].installed and models[BUILT_IN].attribution.url


@pytest.mark.parametrize("said", COMMANDS)
def test_the_first_and_the_last_word_of_a_command_arrive(place: tuple[ServerProcess, int], said: str) -> None:
    server, port = place
    sound = pcm(said)
    text = run(home_assistant(port, sound))
    assert text is not None
    words = text.split()
    assert (words[0], words[-1]) == (said.split()[0], said.split()[-1])
    assert text == from_file(server, sound)


def test_long_speech_arrives_sentence_by_sentence(place: tuple[ServerProcess, int]) -> None:
    parts = COMMANDS[:4]
    sound = b"".join(pcm(part) + bytes(RATE * WIDTH) for part in parts)

    async def talk() -> list[Event]:
        async with AsyncTcpClient("127.0.0.1", place[1]) as client:
            await client.write_event(Transcribe(language="en").event())
            await speak(client, sound)
            return await until(client, TranscriptStop)

    first, *chunks, whole, _ = run(talk())
    assert TranscriptStart.is_type(first.type) and TranscriptStart.from_event(first).language == "en"
    texts = [TranscriptChunk.from_event(chunk).text for chunk in chunks]
    assert len(texts) == len(parts) and "".join(texts) == Transcript.from_event(whole).text
    assert word_error_rate(" ".join(parts), "".join(texts)).rate < 0.1


def test_several_utterances_silence_and_questions_on_one_connection(place: tuple[ServerProcess, int]) -> None:
    async def talk() -> list[str]:
        texts = []
        async with AsyncTcpClient("127.0.0.1", place[1]) as client:
            for sound in (pcm(COMMANDS[0]), b"", bytes(RATE * WIDTH * 2), pcm(COMMANDS[1])):
                await client.write_event(Ping(text="there?").event())
                assert Pong.from_event((await until(client, Pong))[-1]).text == "there?"
                await speak(client, sound)
                texts.append(Transcript.from_event((await until(client, Transcript))[-1]).text)
                await until(client, TranscriptStop)
        return texts

    assert run(talk()) == [COMMANDS[0], "", "", COMMANDS[1]]


def test_other_formats_and_a_model_by_its_name(place: tuple[ServerProcess, int]) -> None:
    samples = say("one two three four five", sample_rate=44_100)
    stereo = (np.repeat(samples, 2) * 32767).astype("<i2").tobytes()

    async def talk() -> str:
        async with AsyncTcpClient("127.0.0.1", place[1]) as client:
            await client.write_event(Transcribe(name=BUILT_IN, language="en-US").event())
            await client.write_event(AudioStart(rate=44_100, width=2, channels=2).event())
            for at in range(0, len(stereo), 8820):
                chunk = AudioChunk(rate=44_100, width=2, channels=2, audio=stereo[at : at + 8820])
                await client.write_event(chunk.event())
            await client.write_event(AudioStop().event())
            return Transcript.from_event((await until(client, Transcript))[-1]).text

    assert word_error_rate("one two three four five", run(talk())).rate < 0.5


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Transcribe(language="de"), "unsupported_by_model"),
        (Transcribe(language="klingon"), "invalid_value"),
        (Transcribe(name="no-such-model"), "model_not_found"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_done_is_said_and_the_connection_closed(
    place: tuple[ServerProcess, int], wish: Transcribe, code: str
) -> None:
    async def talk() -> list[Event]:
        async with AsyncTcpClient("127.0.0.1", place[1]) as client:
            await client.write_event(wish.event())
            await client.write_event(AudioStart(rate=RATE, width=WIDTH, channels=CHANNELS).event())
            told = []
            while (event := await client.read_event()) is not None:
                told.append(event)
            return told

    [event] = run(talk())
    error = Error.from_event(event)
    assert error.code == code and len(error.text) > 20


def test_home_assistant_is_not_left_waiting(place: tuple[ServerProcess, int]) -> None:
    assert run(home_assistant(place[1], pcm("open the door"), language="de")) is None


def test_a_hundred_who_come_and_go_leave_nothing(place: tuple[ServerProcess, int]) -> None:
    server, port = place
    sound = pcm(COMMANDS[0])

    async def come_and_go(number: int) -> None:
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(AudioStart(rate=RATE, width=WIDTH, channels=CHANNELS).event())
            chunk = AudioChunk(rate=RATE, width=WIDTH, channels=CHANNELS, audio=sound[: 320 * number])
            await client.write_event(chunk.event())
            if number % 3 == 0:
                await client.write_event(AudioStop().event())

    async def crowd() -> None:
        for start in range(0, 100, 20):
            await asyncio.gather(*(come_and_go(start + number) for number in range(20)))
        while sessions(server):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    run(crowd())
    assert run(home_assistant(port, sound)) == COMMANDS[0]


def sessions(server: ServerProcess) -> int:
    """Live sessions that are open, by the server's own count."""
    found = re.findall(r'^talkie_live_sessions\{door="wyoming"\} (\S+)$', server.get("/metrics").text, re.MULTILINE)
    return int(sum(float(value) for value in found))


def test_nothing_of_it_is_in_the_log(place: tuple[ServerProcess, int]) -> None:
    server, port = place
    assert run(home_assistant(port, pcm("red green blue"))) == "red green blue"
    log = server.log_text()
    assert '"door": "wyoming"' in log or '"door":"wyoming"' in log
    assert not any(word in log for word in ("green", "klingon", "no-such-model"))
