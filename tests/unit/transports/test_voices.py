"""`/v1/audio/voices`: whose voices a key sees, makes and removes."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
from fastapi import FastAPI

from fakes_service import FakeService
from http_door import ask, client, make_app, run
from talkie.errors import EmptyAudio
from talkie.runtime.speech import VoiceCard
from talkie.transports.http import voices
from talkie.transports.keys import KeyRing, new_key

VOICES = "/v1/audio/voices"
SOUND = b"three seconds of somebody"
KEYS = {"mine": ("speak",), "theirs": ("speak",), "boss": ("admin",), "listener": ("transcribe",)}


class House:
    """A door with four keys."""

    def __init__(self, directory: Path) -> None:
        made = {name: new_key(name, scopes) for name, scopes in KEYS.items()}
        path = directory / "keys.json"
        rows = [{"name": key.name, "sha256": key.sha256, "scopes": key.scopes} for _, key in made.values()]
        path.write_text(json.dumps({"keys": rows}))
        self.keys = {name: key for name, (key, _) in made.items()}
        self.service = FakeService()
        self.app = make_app(directory, self.service, keys=KeyRing(None, path))

    def ask(self, who: str, method: str = "GET", path: str = "", **more: Any) -> httpx.Response:
        return ask(self.app, method, VOICES + path, headers={"Authorization": f"Bearer {self.keys[who]}"}, **more)

    def add(self, who: str, name: str) -> httpx.Response:
        form = {"name": name, "consent": "yes"}
        return self.ask(who, "POST", files={"audio_sample": ("canary.wav", SOUND)}, data=form)

    def seen_by(self, who: str) -> set[str]:
        return {voice["id"] for voice in self.ask(who).json()["voices"]}


def add(app: FastAPI, part: str = "audio_sample", file: bytes = SOUND, **form: str) -> httpx.Response:
    return ask(app, "POST", VOICES, files={part: ("a.wav", file)}, data={"name": "Ann", "consent": "yes", **form})


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_the_list(tmp_path: Path) -> None:
    found = ask(make_app(tmp_path), "GET", VOICES).json()
    assert found["voices"] == found["data"]
    assert [(voice["id"], voice["name"], voice["languages"]) for voice in found["voices"]] == [
        ("en-us", "en-us", ["en"]), ("de", "de", ["de"])]  # fmt: skip


@pytest.mark.parametrize("part", ["audio_sample", "file"])
def test_a_voice_is_made_of_a_recording_and_removed(tmp_path: Path, part: str) -> None:
    service = FakeService()
    app = make_app(tmp_path, service)
    made = add(app, part, language="de-DE").json()
    assert (made["id"], made["name"], made["object"], made["cloned"]) == ("Ann", "Ann", "audio.voice", True)
    assert service.cloned["Ann"][1:] == ("", SOUND) and made["languages"] == ["de"]
    assert ask(app, "DELETE", f"{VOICES}/Ann").json()["deleted"] is True
    assert code(ask(app, "DELETE", f"{VOICES}/Ann")) == (404, "voice_not_found")


def test_what_cannot_be_a_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(tmp_path)
    assert code(add(app, consent="")) == (400, "invalid_value")
    assert code(add(app, name="")) == (400, "invalid_value")
    assert code(add(app, "recording")) == (400, "invalid_value")
    assert code(ask(app, "POST", VOICES, json={"name": "Ann"})) == (400, "bad_request_body")
    assert add(app).status_code == 200 and code(add(app)) == (409, "voice_exists")
    monkeypatch.setattr(voices, "MAX_RECORDING_BYTES", 10)
    assert code(add(app, name="Bob")) == (413, "audio_too_large")
    assert code(ask(app, "DELETE", f"{VOICES}/{'v' * 300}")) == (404, "voice_not_found")


def test_what_the_service_finds_wrong_is_told(tmp_path: Path) -> None:
    class Deaf(FakeService):
        def add_voice(self, *_args: Any, **_more: Any) -> VoiceCard:
            raise EmptyAudio

    assert code(add(make_app(tmp_path, Deaf()))) == (400, "empty_audio")


def test_a_voice_belongs_to_the_key_that_made_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.add("mine", "ann").status_code == house.add("theirs", "bob").status_code == 200
    assert house.seen_by("mine") == {"en-us", "de", "ann"} and house.seen_by("theirs") == {"en-us", "de", "bob"}
    assert house.seen_by("boss") == {"en-us", "de", "ann", "bob"}
    assert code(house.ask("theirs", "DELETE", "/ann")) == (404, "voice_not_found")
    assert house.ask("mine", "DELETE", "/ann").status_code == house.ask("boss", "DELETE", "/bob").status_code == 200
    assert house.seen_by("boss") == {"en-us", "de"}


def test_who_may_only_listen_sees_no_voices(tmp_path: Path) -> None:
    house = House(tmp_path)
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", "/en-us")):
        assert code(house.ask("listener", method, path)) == (403, "scope_missing")


def test_a_recording_is_not_closed_under_the_thread_that_reads_it(tmp_path: Path) -> None:
    reading, read_on, read = threading.Event(), threading.Event(), []

    class Slow(FakeService):
        def add_voice(self, name: str, recording: IO[bytes], **more: Any) -> VoiceCard:
            reading.set()
            read_on.wait(20)
            read.append(recording.read())
            return VoiceCard(name, name, ("en",), "fake-voice", "fake", cloned=True)

    async def go() -> None:
        async with client(make_app(tmp_path, Slow())) as http:
            form = {"name": "Ann", "consent": "yes"}
            asking = asyncio.ensure_future(http.post(VOICES, files={"audio_sample": SOUND}, data=form))
            await asyncio.to_thread(reading.wait, 20)
            asking.cancel()
            read_on.set()
            await asyncio.wait([asking])

    run(go())
    assert read == [SOUND]
