"""`/v1/sessions`: whose sessions a key sees and ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from fakes_service import FakeService
from http_door import ask, make_app
from talkie.runtime.requests import LiveRequest
from talkie.transports.keys import KeyRing, new_key

SCOPES = {"mine": ("transcribe",), "theirs": ("transcribe",), "boss": ("admin",), "reader": ("models:read",)}


class House:
    """A door with four keys, and a session of each of three callers."""

    def __init__(self, directory: Path) -> None:
        made = {name: new_key(name, scopes) for name, scopes in SCOPES.items()}
        path = directory / "keys.toml"
        lines = [
            f'[[keys]]\nname = "{key.name}"\nsha256 = "{key.sha256}"\nscopes = {list(key.scopes)}'
            for _, key in made.values()
        ]
        path.write_text("\n".join(lines))
        path.chmod(0o600)
        self.keys = {name: key for name, (key, _) in made.items()}
        self.service = FakeService()
        self.app: FastAPI = make_app(directory, self.service, keys=KeyRing(None, path))
        for owner, door in (("mine", "listen"), ("theirs", "realtime"), ("boss", "page")):
            self.service.listen(LiveRequest(), door=door, owner=owner, client=f"{owner} client")

    def ask(self, who: str, method: str = "GET", path: str = "") -> httpx.Response:
        return ask(self.app, method, f"/v1/sessions{path}", headers={"Authorization": f"Bearer {self.keys[who]}"})

    def seen_by(self, who: str) -> list[str]:
        return [item["client"] for item in self.ask(who).json()["data"]]


def test_a_session_as_it_is_shown(tmp_path: Path) -> None:
    house = House(tmp_path)
    answer = house.ask("mine")
    assert answer.status_code == 200
    expected: dict[str, Any] = {
        "id": "live_0",
        "object": "session",
        "kind": "hearing",
        "door": "listen",
        "model": "fake-en",
        "state": "listening",
        "seconds_heard": 0.0,
        "lag_s": 0.5,
        "started": 1000,
        "client": "mine client",
    }
    assert answer.json() == {"object": "list", "data": [expected]}


def test_a_key_sees_its_own_and_admin_all(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.seen_by("mine") == ["mine client"]
    assert house.seen_by("theirs") == ["theirs client"]
    assert house.seen_by("boss") == ["mine client", "theirs client", "boss client"]
    assert house.ask("reader").status_code == 403
    assert ask(house.app, "GET", "/v1/sessions").status_code == 401


def test_a_session_is_ended_by_its_own_key_or_admin(tmp_path: Path) -> None:
    house = House(tmp_path)
    refused = house.ask("mine", "DELETE", "/live_1")
    assert refused.status_code == 404 and refused.json()["error"]["code"] == "session_not_found"
    assert house.service.sessions[1].ended is False
    ended = house.ask("theirs", "DELETE", "/live_1")
    assert ended.status_code == 200
    assert ended.json() == {"id": "live_1", "object": "session.deleted", "deleted": True}
    assert house.service.sessions[1].ended and house.seen_by("theirs") == []
    assert house.ask("theirs", "DELETE", "/live_1").status_code == 404
    assert house.ask("boss", "DELETE", "/live_0").status_code == 200
    assert house.seen_by("boss") == ["boss client"]


def test_what_is_no_session_is_not_found(tmp_path: Path) -> None:
    house = House(tmp_path)
    for name in ("nothing", "x" * 10_000, "..", "%00", "live_%F0%9F%98%80"):
        assert house.ask("boss", "DELETE", f"/{name}").status_code in (404, 405), name
    assert len(house.seen_by("boss")) == 3


def test_without_keys_everybody_sees_all(tmp_path: Path) -> None:
    service = FakeService()
    app = make_app(tmp_path, service)
    service.listen(LiveRequest(), door="page")
    assert [item["door"] for item in ask(app, "GET", "/v1/sessions").json()["data"]] == ["page"]
