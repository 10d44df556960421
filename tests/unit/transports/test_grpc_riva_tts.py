"""Riva's speech synthesis in front of a fake service, through the methods of its own client."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import grpc
import numpy as np
import pytest

from fakes_service import FakeService
from fakes_speech import RATE_HZ, WORD_S
from grpc_door import and_wait, bearer, code_of, in_turn, opened, refused
from http_door import run
from talkie.errors import VoiceNotFound
from talkie.transports.grpc import riva_tts as door_of_riva
from talkie.transports.keys import KeyRing, new_key, write_keys

pytest.importorskip("riva.client", reason="the extra talkie[riva] is not installed")

from riva.client.proto import riva_audio_pb2 as raudio
from riva.client.proto import riva_tts_pb2 as rtts
from riva.client.proto import riva_tts_pb2_grpc as stubs

WAIT_S = 20
LONG = "word " * 5000


def asked(text: str = "one two", **fields: Any) -> rtts.SynthesizeSpeechRequest:
    return rtts.SynthesizeSpeechRequest(text=text, **{"encoding": raudio.LINEAR_PCM, **fields})


def tts(door: Any) -> Any:
    return stubs.RivaSpeechSynthesisStub(door.channel)


def crossings(samples: np.ndarray) -> int:
    return int(np.sum(np.diff(np.signbit(samples)) != 0))


@pytest.mark.parametrize("rate", [0, 8000, 16_000, 22_050, 44_100, 48_000])
def test_a_text_at_any_rate(tmp_path: Path, rate: int) -> None:
    async def work() -> Any:
        async with opened(tmp_path) as door:
            message = asked(sample_rate_hz=rate, enable_word_time_offsets=True, voice_name="fake-voice.de")
            message.id.value = "call-7"
            return await tts(door).Synthesize(message), door.service

    answer, service = run(work())
    samples = np.frombuffer(answer.audio, "<i2")
    assert abs(len(samples) - 2 * WORD_S * (rate or RATE_HZ)) <= 2
    assert abs(crossings(samples) - 2 * 440 * 2 * WORD_S) < 10, "the tone has another pitch"
    words = [(word.word, word.start_time, word.end_time) for word in answer.meta.words]
    assert words == [("one", 0, 200), ("two", 200, 400)]
    assert (answer.meta.text, answer.id.value) == ("one two", "call-7")
    [request] = service.asked
    assert (request.voice, request.align, request.owner) == ("de", True, None)


@pytest.mark.parametrize("encoding", [raudio.OGGOPUS, raudio.FLAC])
def test_files_that_a_player_knows(tmp_path: Path, encoding: int) -> None:
    async def work() -> tuple[bytes, bytes]:
        async with opened(tmp_path) as door:
            message = asked(encoding=encoding, sample_rate_hz=44_100, enable_word_time_offsets=True)
            whole = await tts(door).Synthesize(message)
            pieces = [piece async for piece in tts(door).SynthesizeOnline(in_turn(message, message))]
            assert [word.start_time for piece in pieces for word in piece.meta.words] == [0, 200, 400, 600]
            return whole.audio, b"".join(piece.audio for piece in pieces)

    for sound, seconds in zip(run(work()), (2 * WORD_S, 4 * WORD_S), strict=True):
        with av.open(io.BytesIO(sound)) as container:
            frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
            rate = container.streams.audio[0].rate
        assert sum(frame.shape[-1] for frame in frames) / rate == pytest.approx(seconds, abs=0.05)


def test_a_stream_of_texts_is_one_stream_of_sound(tmp_path: Path) -> None:
    async def work() -> list[Any]:
        async with opened(tmp_path) as door:
            first, second = (
                asked(text, sample_rate_hz=44_100, enable_word_time_offsets=True) for text in ("one two", "three")
            )
            return [answer async for answer in tts(door).SynthesizeOnline(in_turn(first, second))]

    answers = run(work())
    samples = np.frombuffer(b"".join(answer.audio for answer in answers), "<i2")
    assert abs(len(samples) - 3 * WORD_S * 44_100) <= 2 and abs(crossings(samples) - 2 * 440 * 3 * WORD_S) < 10
    words = [(word.word, word.start_time) for answer in answers for word in answer.meta.words]
    assert words == [("one", 0), ("two", 200), ("three", 400)]
    assert max(len(answer.audio) for answer in answers) <= door_of_riva.AUDIO_BYTES


def test_the_first_text_is_spoken_before_the_second_comes(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            stream = tts(door).SynthesizeOnline()
            await stream.write(asked("one"))
            assert (await stream.read()).audio
            await stream.write(asked("two"))
            await stream.done_writing()
            while await stream.read() is not grpc.aio.EOF:
                pass
            assert [request.text for request in door.service.asked] == ["one", "two"]

    run(work())


Way = Callable[[Any, rtts.SynthesizeSpeechRequest], Any]
WAYS: list[Way] = [
    lambda door, message: tts(door).Synthesize(message),
    lambda door, message: tts(door).SynthesizeOnline(and_wait(message)),
]


@pytest.mark.parametrize("way", WAYS)
def test_who_leaves_ends_the_work(tmp_path: Path, way: Way) -> None:
    service = FakeService()
    service.word_wait_s = 0.01

    async def work() -> None:
        async with opened(tmp_path, service) as door:
            call = way(door, asked(LONG))
            while not service.spoken:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
            call.cancel()
            assert await asyncio.to_thread(service.speech_stopped.wait, WAIT_S)

    run(work())
    assert service.spoken < 5000


@pytest.mark.parametrize("way", WAYS)
def test_what_is_refused(tmp_path: Path, way: Way) -> None:
    service = FakeService()

    async def work() -> None:
        async with opened(tmp_path, service) as door:
            for message, code in (
                (asked(sample_rate_hz=3), "bad_raw_parameters"),
                (asked(encoding=77), "invalid_value"),
                (asked(language_code="no language"), "invalid_value"),
                (asked(voice_name="v" * 1000), "invalid_value"),
                (asked(zero_shot_data=rtts.ZeroShotData()), "unsupported_by_model"),
            ):
                assert code_of(await refused(way(door, message))) == code
            assert service.asked == []
            service.speak_raises = VoiceNotFound("English-US.Female-1")
            error = await refused(way(door, asked(voice_name="English-US.Female-1")))
            assert (error.code(), code_of(error)) == (grpc.StatusCode.NOT_FOUND, "voice_not_found")

    run(work())


def test_a_stream_keeps_its_kind_of_sound(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as door:
            stream = tts(door).SynthesizeOnline(and_wait(asked(), asked(sample_rate_hz=8000)))
            assert code_of(await refused(stream)) == "invalid_value"

    run(work())


def test_a_whole_answer_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_of_riva, "WHOLE_BYTES", 20_000)
    service = FakeService()

    async def work() -> None:
        async with opened(tmp_path, service) as door:
            error = await refused(tts(door).Synthesize(asked(LONG)))
            assert (code_of(error), dict(error.trailing_metadata())["talkie-hint"]) == (
                "invalid_value",
                "Use SynthesizeOnline.",
            )
            assert await asyncio.to_thread(service.speech_stopped.wait, WAIT_S)

    run(work())
    assert service.spoken < 20


def test_voices_and_who_may_see_them(tmp_path: Path) -> None:
    keys = {name: new_key(name, [scope]) for name, scope in (("radio", "speak"), ("ears", "transcribe"))}
    write_keys(tmp_path / "keys.toml", [stored for _, stored in keys.values()])
    service = FakeService()
    service.add_voice("mine", io.BytesIO(b"x"), owner="radio")
    service.add_voice("theirs", io.BytesIO(b"x"), owner="ears")

    async def work() -> None:
        async with opened(tmp_path, service, keys=KeyRing(path=tmp_path / "keys.toml")) as door:
            kind = rtts.RivaSynthesisConfigRequest
            who = bearer(keys["radio"][0])
            answer = await tts(door).GetRivaSynthesisConfig(kind(), metadata=who)
            names = {
                config.parameters["language_code"]: config.parameters["subvoices"] for config in answer.model_config
            }
            assert names == {"en": "en-us:0,mine:1", "de": "de:0"}
            missing = tts(door).GetRivaSynthesisConfig(kind(model_name="magpie"), metadata=who)
            assert code_of(await refused(missing)) == "model_not_found"
            closed = tts(door).GetRivaSynthesisConfig(kind(), metadata=bearer(keys["ears"][0]))
            assert code_of(await refused(closed)) == "scope_missing"
            closed = tts(door).Synthesize(asked(), metadata=bearer(keys["ears"][0]))
            assert code_of(await refused(closed)) == "scope_missing"

    run(work())
