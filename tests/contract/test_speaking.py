"""The service that speaks, with the voice that everybody has."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from onnx_voices import piper_directory
from talkie.engines.tts.espeak import EspeakSynthesizer
from talkie.errors import Cancelled, UnsupportedByModel, VoiceNotFound
from talkie.runtime.cancel import CancelToken
from talkie.runtime.config import ServiceConfig
from talkie.runtime.requests import TranscribeRequest
from talkie.runtime.service import Service
from talkie.runtime.speech import SpeakRequest
from talkie.runtime.speech_lane import SpeechLane
from talkie.runtime.voice_names import OPENAI_VOICES
from talkie.types import Audio, SpeechChunk

WAIT_S = 30
SENTENCE = SpeakRequest("There are many people in the room.", cache=False)
LONG = replace(SENTENCE, text="Nobody had expected so many people in the room. " * 200)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(ServiceConfig(home=tmp_path_factory.mktemp("home"), concurrency=8))
    yield service
    service.close()


def spoken(service: Service, request: SpeakRequest) -> list[SpeechChunk]:
    return list(service.speak(request))


def seconds(chunks: list[SpeechChunk]) -> float:
    return sum(len(chunk.samples) / chunk.sample_rate for chunk in chunks)


def words(chunks: list[SpeechChunk]) -> list[str]:
    return [mark.text for chunk in chunks for mark in chunk.marks if mark.kind == "word"]


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_it_speaks_and_shows_what_it_holds(service: Service) -> None:
    chunks = spoken(service, SENTENCE)
    assert words(chunks) == SENTENCE.text.split() and 1.0 < seconds(chunks) < 4.0
    (row,) = [row for row in service.loaded() if row.name == "espeak"]
    assert (row.kind, row.engine, row.users) == ("synthesizer", "espeak", 0) and row.unload_s is not None
    assert service.ready().parts["voice espeak"] == "ready"
    assert [card.loaded for card in service.models() if card.id == "espeak"] == [True]


def test_openais_names_speak_every_language(service: Service) -> None:
    for name, language in zip(
        OPENAI_VOICES, ("en", "de", "fr", "es", "it", "zh", "pt", "pl", "ru", "tr", "nl", "sv", "no"), strict=True
    ):
        chunks = spoken(service, SpeakRequest("taxi", voice=name, model="tts-1", language=language, cache=False))
        assert words(chunks) == ["taxi"] and seconds(chunks) > 0.2


def test_all_its_voices_are_told_and_can_be_asked_for(service: Service) -> None:
    cards = {card.id: card for card in service.voices()}
    assert len(cards) > 100 and cards["de"].languages[0] == "de" and not cards["de"].cloned
    assert words(spoken(service, replace(SENTENCE, text="guten Tag", voice="de"))) == ["guten", "Tag"]
    with pytest.raises(VoiceNotFound) as refused:
        spoken(service, replace(SENTENCE, voice="de-x"))
    assert "de" in refused.value.message


def test_many_at_once_and_a_short_text_beside_a_long_one(service: Service) -> None:
    alone = spoken(service, SENTENCE)
    long = service.speak(LONG)
    next(long)
    with ThreadPoolExecutor(6) as pool:
        for chunks in pool.map(lambda _: spoken(service, SENTENCE), range(6)):
            assert words(chunks) == words(alone) and seconds(chunks) == pytest.approx(seconds(alone), abs=0.05)
    assert [row.users for row in service.loaded() if row.name == "espeak"] == [1], "the long one is not done"
    long.close()
    until(lambda: [row.users for row in service.loaded()] == [0])


def test_cancelling_ends_it_at_once_and_others_go_on(service: Service) -> None:
    cancel = CancelToken()
    heard = threading.Event()

    def listen() -> int:
        count = 0
        for _ in service.speak(LONG, cancel):
            count += 1
            heard.set()
        return count

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(listen)
        assert heard.wait(WAIT_S)
        cancel.cancel()
        with pytest.raises(Cancelled):
            job.result(WAIT_S)
    assert words(spoken(service, SENTENCE)) == SENTENCE.text.split()


def test_what_was_said_before_needs_no_engine(tmp_path: Path) -> None:
    config = ServiceConfig(home=tmp_path)
    first, second = Service(config), Service(config)
    try:
        made = spoken(first, replace(SENTENCE, cache=None, visemes=True))
        again = spoken(second, replace(SENTENCE, cache=None, visemes=True))
        assert second.loaded() == [] and len(first.loaded()) == 1
        assert [chunk.marks for chunk in again] == [chunk.marks for chunk in made]
        assert seconds(again) == seconds(made)
    finally:
        first.close()
        second.close()


def test_a_voice_that_nobody_uses_gives_its_processes_back(tmp_path: Path) -> None:
    service = Service(ServiceConfig(home=tmp_path, idle_unload_s=0.3, workers=2))
    try:
        speech = service.speak(LONG)
        next(speech)
        (_, lane) = service._leases.lanes()[0]
        pids = cast(EspeakSynthesizer, cast(SpeechLane, lane).synthesizer)._pool.pids()
        assert len(pids) == 2 and all(alive(pid) for pid in pids)
        speech.close()
        until(lambda: service.loaded() == [])
        until(lambda: not any(alive(pid) for pid in pids))
        assert words(spoken(service, SENTENCE)) == SENTENCE.text.split(), "it comes back when it is wanted"
    finally:
        service.close()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_only_speaks_does_not_hear(service: Service) -> None:
    with pytest.raises(UnsupportedByModel, match="does not hear"):
        service.choose(TranscribeRequest(model="espeak"))
    with pytest.raises(UnsupportedByModel, match="does not speak"):
        spoken(service, replace(SENTENCE, model="sphinx-en"))


def test_getting_ready_loads_no_voice(tmp_path: Path) -> None:
    service = Service(ServiceConfig(home=tmp_path))
    try:
        service.warm()
        until(lambda: service.ready().ok)
        assert not any(part.startswith("voice e") for part in service.ready().parts)
    finally:
        service.close()


def test_our_recogniser_finds_the_words_of_an_engine_that_tells_no_times(service: Service) -> None:
    chunks = spoken(service, replace(SENTENCE, voice="en-us+f2", speed=0.9))
    told = [mark for chunk in chunks for mark in chunk.marks if mark.kind == "word"]
    sound = Audio(np.concatenate([chunk.samples for chunk in chunks]), chunks[0].sample_rate)
    found = service._align(sound, SENTENCE.text, "en-us", CancelToken())
    assert [mark.text for mark in found] == [mark.text for mark in told]
    assert all(mark.estimated for mark in found)
    late_s = [abs(mine.start_s - true.start_s) for mine, true in zip(found, told, strict=True)]
    assert float(np.median(late_s)) < 0.15
    assert service._align(sound, SENTENCE.text, "fi", CancelToken()) == (), "it does not know the language"


def test_speed(service: Service) -> None:
    slow, fast = (seconds(spoken(service, replace(SENTENCE, speed=speed))) for speed in (0.6, 1.8))
    assert slow > 2 * fast


def test_a_model_of_the_store_speaks_and_shares_the_places(tmp_path: Path) -> None:
    service = Service(ServiceConfig(home=tmp_path / "home", max_loaded_models=1, workers=1, threads=1))
    try:
        service.store.import_(piper_directory(tmp_path / "piper", speakers=2), name="small")
        assert [card.model for card in service.voices() if card.model != "espeak"] == ["small", "small"]
        service.prepare(TranscribeRequest())
        assert {row.name for row in service.loaded()} == {"espeak", "sphinx-en"}, "nothing is loaded to be listed"
        assert words(spoken(service, SENTENCE)) == SENTENCE.text.split()
        assert {row.name: row.kind for row in service.loaded()} == {"espeak": "synthesizer", "small": "synthesizer"}
        assert service.ready().parts["voice small"] == "ready"
        assert spoken(service, replace(SENTENCE, language="de"))[0].sample_rate > 0
        service.prepare(TranscribeRequest())
        assert {row.name for row in service.loaded()} == {"espeak", "sphinx-en"}
    finally:
        service.close()
