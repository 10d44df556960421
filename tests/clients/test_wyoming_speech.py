"""The `wyoming` package, unchanged, asks a running server to speak: as Home Assistant does, whole and streamed."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

import numpy as np
import pytest

from ports import free_port
from server_process import running_server

with warnings.catch_warnings():  # the package asks for audioop, which Python will drop
    warnings.simplefilter("ignore", DeprecationWarning)
    from wyoming.audio import AudioChunk, AudioStart, AudioStop
    from wyoming.client import AsyncTcpClient
    from wyoming.error import Error
    from wyoming.event import Event
    from wyoming.info import Describe, Info
    from wyoming.tts import (
        Synthesize,
        SynthesizeChunk,
        SynthesizeStart,
        SynthesizeStop,
        SynthesizeStopped,
        SynthesizeTextFormat,
        SynthesizeVoice,
    )

pytestmark = pytest.mark.xdist_group("wyoming")

T = TypeVar("T")
PATIENCE_S = 60.0
TEXT = "Good morning. It is seven o'clock, and the sun is up."
LONG = "This sentence is one of very many that nobody will wait for. " * 1000


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    found = free_port()
    flags = ("--workers", "1", "--threads", "1", "--wyoming-port", str(found))
    with running_server(tmp_path_factory.mktemp("wyoming"), *flags) as server:
        server.wait_ready()
        yield found


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, PATIENCE_S))


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[AsyncTcpClient]:
    async with AsyncTcpClient("127.0.0.1", port) as client:
        yield client


async def until(client: AsyncTcpClient, last: type) -> list[Event]:
    """Events up to the first of that kind, or to the end of the connection."""
    told: list[Event] = []
    while (event := await client.read_event()) is not None:
        told.append(event)
        if last.is_type(event.type):  # type: ignore[attr-defined]
            break
    return told


def sound(told: list[Event]) -> tuple[np.ndarray, int]:
    """All samples, and their rate: every chunk is of one format, which is that of the start."""
    starts = [AudioStart.from_event(event) for event in told if AudioStart.is_type(event.type)]
    chunks = [AudioChunk.from_event(event) for event in told if AudioChunk.is_type(event.type)]
    assert len(starts) == 1 and {(chunk.rate, chunk.width, chunk.channels) for chunk in chunks} == {
        (starts[0].rate, 2, 1)
    }
    return np.frombuffer(b"".join(chunk.audio for chunk in chunks), "<i2"), starts[0].rate


async def whole(port: int, text: str, voice: SynthesizeVoice | None = None, **more: Any) -> list[Event]:
    """What Home Assistant does for a text that it has."""
    async with connected(port) as client:
        await client.write_event(Synthesize(text=text, voice=voice, **more).event())
        return await until(client, AudioStop)


async def streamed(port: int, pieces: list[str], voice: SynthesizeVoice | None = None) -> list[Event]:
    """What Home Assistant does for one that is still being written: it writes and reads at the same time."""
    async with connected(port) as client:

        async def write() -> None:
            await client.write_event(SynthesizeStart(voice=voice).event())
            for piece in pieces:
                await client.write_event(SynthesizeChunk(text=piece).event())
            await client.write_event(Synthesize(text="".join(pieces), voice=voice).event())
            await client.write_event(SynthesizeStop().event())

        writing = asyncio.create_task(write())
        told = await until(client, SynthesizeStopped)
        await writing
        return told


def test_the_voices_as_home_assistant_lists_them(port: int) -> None:
    async def ask() -> Info:
        async with connected(port) as client:
            await client.write_event(Describe().event())
            async with asyncio.timeout(1):  # Home Assistant's own patience
                event = await client.read_event()
            assert event is not None
            return Info.from_event(event)

    [program] = run(ask()).tts
    assert program.installed and program.supports_synthesize_streaming
    voices = {voice.name: voice for voice in program.voices if voice.installed}
    assert len(voices) > 50 and "en-US" in voices["en-us"].languages and "de" in voices["de"].languages
    assert all(voice.description and voice.attribution.url and voice.languages for voice in voices.values())


def test_a_text_is_spoken(port: int) -> None:
    samples, rate = sound(run(whole(port, TEXT)))
    assert 2 < len(samples) / rate < 8 and np.abs(samples).max() > 3000


def test_a_text_in_pieces_is_spoken_once(port: int) -> None:
    """As long as the same text at once, though it is sent twice."""
    told = run(streamed(port, [TEXT[at : at + 5] for at in range(0, len(TEXT), 5)]))
    assert SynthesizeStopped.is_type(told[-1].type) and AudioStop.is_type(told[-2].type)
    samples, rate = sound(told)
    at_once, _ = sound(run(whole(port, TEXT)))
    assert len(samples) / rate == pytest.approx(len(at_once) / rate, abs=0.3)


def test_the_first_sentence_is_heard_before_the_last_is_written(port: int) -> None:
    async def talk() -> list[Event]:
        async with connected(port) as client:
            await client.write_event(SynthesizeStart().event())
            await client.write_event(SynthesizeChunk(text="Good morning. It is ").event())
            told = await until(client, AudioChunk)
            await client.write_event(SynthesizeChunk(text="late.").event())
            await client.write_event(Synthesize(text="Good morning. It is late.").event())
            await client.write_event(SynthesizeStop().event())
            return told + await until(client, SynthesizeStopped)

    samples, rate = sound(run(talk()))
    assert 1 < len(samples) / rate < 4


@pytest.mark.parametrize(
    "voice", [SynthesizeVoice(name="de"), SynthesizeVoice(language="de"), SynthesizeVoice(language="de_DE")]
)
def test_a_voice_by_name_or_by_language(port: int, voice: SynthesizeVoice) -> None:
    german, rate = sound(run(whole(port, "Guten Morgen, die Sonne scheint.", voice)))
    by_name, _ = sound(run(whole(port, "Guten Morgen, die Sonne scheint.", SynthesizeVoice(name="de"))))
    english, _ = sound(run(whole(port, "Guten Morgen, die Sonne scheint.")))
    # espeak-ng is not the same to the sample from one time to the next.
    assert abs(len(german) - len(by_name)) < 0.05 * rate < abs(len(german) - len(english))


def test_ssml(port: int) -> None:
    ssml = "<speak>Good <break time='2s'/> morning.</speak>"
    samples, rate = sound(run(whole(port, ssml, text_format=SynthesizeTextFormat.SSML)))
    plain, _ = sound(run(whole(port, "Good morning.")))
    assert len(samples) / rate > len(plain) / rate + 1.5


@pytest.mark.parametrize(
    ("text", "voice", "code"),
    [
        (" ", None, "nothing_to_say"),
        ("one", SynthesizeVoice(name="nobody-at-all"), "voice_not_found"),
        ("<speak>one\n<p>two</speak>", None, "bad_ssml"),
        ("word " * 50_000, None, "text_too_long"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_spoken_is_said_and_the_connection_closed(
    port: int, text: str, voice: SynthesizeVoice | None, code: str
) -> None:
    *_, event = run(whole(port, text, voice))
    assert Error.from_event(event).code == code


def test_who_leaves_does_not_hold_up_others(port: int) -> None:
    async def leave() -> None:
        async with connected(port) as client:
            await client.write_event(Synthesize(text=LONG).event())
            assert await until(client, AudioChunk)

    async def talk() -> list[list[Event]]:
        for _ in range(5):
            await leave()
        return await asyncio.gather(*(whole(port, f"Number {number}.") for number in range(5)))

    assert all(0.2 < len(samples) / rate < 3 for samples, rate in map(sound, run(talk())))
