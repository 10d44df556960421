"""`/v1/video/avatars`: whose avatars a key sees, adds and removes."""

from __future__ import annotations

import io
import json
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
from PIL import Image

from avatar_packs import write_pictures, zip_of, zip_with
from fakes_service import FakeService
from http_door import ask, make_app
from talkie.errors import BadAvatar, StoreFull
from talkie.runtime.config import ServiceConfig
from talkie.runtime.face import AvatarCard
from talkie.runtime.service import Service
from talkie.transports.keys import KeyRing, new_key
from talkie.wire.avatars import avatar

AVATARS = "/v1/video/avatars"
KEYS = {"mine": ("animate",), "theirs": ("animate",), "boss": ("admin",), "speaker": ("speak",)}
PACK = b"PK a zip of a face"


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
        return ask(self.app, method, AVATARS + path, headers={"Authorization": f"Bearer {self.keys[who]}"}, **more)

    def add(self, who: str, name: str) -> httpx.Response:
        return self.ask(who, "POST", files={"pack": ("canary.zip", PACK)}, data={"name": name})

    def seen_by(self, who: str) -> list[str]:
        return [one["id"] for one in self.ask(who).json()["data"]]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_the_list_and_one_of_it(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    told = ask(app, "GET", AVATARS).json()
    built_in = told["data"][0]
    assert told["object"] == "list" and (built_in["id"], built_in["kind"]) == ("talkie", "drawn")
    assert built_in["moods"] == ["calm"] and built_in["picture"] == f"{AVATARS}/talkie/picture"
    assert ask(app, "GET", f"{AVATARS}/talkie").json() == built_in
    for name in ("nobody", "x" * 65, "..%2f..%2fetc"):
        assert code(ask(app, "GET", f"{AVATARS}/{name}"))[0] == 404
    assert code(ask(app, "GET", f"{AVATARS}/nobody")) == (404, "avatar_not_found")


def test_the_picture_is_a_jpeg_of_its_size(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    answer = ask(app, "GET", f"{AVATARS}/talkie/picture")
    assert answer.headers["content-type"] == "image/jpeg" and "private" in answer.headers["cache-control"]
    image = Image.open(io.BytesIO(answer.content))
    assert (image.format, image.size) == ("JPEG", (64, 64))
    red, green, blue = image.convert("RGB").getpixel((5, 5))  # type: ignore[misc]
    assert abs(red - 127) < 4 and red == green == blue
    assert code(ask(app, "GET", f"{AVATARS}/nobody/picture")) == (404, "avatar_not_found")


def test_a_pack_is_added_whole_and_removed(tmp_path: Path) -> None:
    service = FakeService()
    app = make_app(tmp_path, service)
    answer = ask(app, "POST", AVATARS, files={"pack": ("a.zip", PACK)}, data={"name": "anna"})
    assert answer.status_code == 201 and answer.json()["id"] == "anna" and answer.json()["size_bytes"] == len(PACK)
    assert code(ask(app, "POST", AVATARS, files={"file": ("a.zip", PACK)}, data={"name": "anna"})) == (
        409,
        "avatar_exists",
    )
    octets = {"content-type": "application/octet-stream"}
    bare = ask(app, "POST", f"{AVATARS}?name=bob", content=PACK, headers=octets)
    assert (bare.status_code, bare.json()["id"], bare.json()["size_bytes"]) == (201, "bob", len(PACK))
    assert ask(app, "DELETE", f"{AVATARS}/anna").json() == {
        "id": "anna", "object": "video.avatar.deleted", "deleted": True}  # fmt: skip
    assert code(ask(app, "DELETE", f"{AVATARS}/anna")) == (404, "avatar_not_found") and set(service.packs) == {"bob"}


def test_what_is_wrong_with_a_pack_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = FakeService()
    app = make_app(tmp_path, service, max_bytes=5000)

    def add_avatar(pack: IO[bytes], *, name: str = "", owner: str = "") -> AvatarCard:
        raise {"bad": BadAvatar("face.onnx", "it is missing."), "full": StoreFull(9, 1, "/x")}[name]

    monkeypatch.setattr(service, "add_avatar", add_avatar)

    def add(part: str = "pack", data: bytes = PACK, name: str = "bad") -> httpx.Response:
        return ask(app, "POST", AVATARS, files={part: ("a.zip", data)}, data={"name": name})

    told = add().json()["error"]
    assert (
        (told["code"], told["param"]) == ("bad_avatar", "face.onnx") and "missing" in told["message"] and told["hint"]
    )
    assert code(add()) == (400, "bad_avatar") and code(add(name="full")) == (507, "store_full")
    assert code(add("picture")) == (400, "invalid_value")
    assert code(add(name="x" * 65)) == (400, "invalid_value")
    large = add(data=bytes(6000))
    assert code(large) == (413, "audio_too_large") and "talkie avatar add" in large.json()["error"]["hint"]


def test_an_avatar_is_its_keys(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.add("mine", "anna").status_code == 201
    assert house.seen_by("mine") == house.seen_by("boss") == ["talkie", "anna"]
    assert house.seen_by("theirs") == ["talkie"]
    for method, path in (("GET", "/anna"), ("GET", "/anna/picture"), ("DELETE", "/anna")):
        assert code(house.ask("theirs", method, path)) == (404, "avatar_not_found")
    assert house.ask("mine", path="/anna/picture").status_code == 200
    assert house.ask("boss", "DELETE", "/anna").status_code == 200
    assert house.seen_by("mine") == ["talkie"]


def test_without_the_scope_there_is_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    for method, path in (("GET", ""), ("GET", "/talkie"), ("GET", "/talkie/picture"), ("DELETE", "/talkie")):
        assert code(house.ask("speaker", method, path)) == (403, "scope_missing")
        assert ask(house.app, method, AVATARS + path).status_code == 401
    assert code(house.add("speaker", "anna")) == (403, "scope_missing") and not house.service.packs


def test_one_that_cannot_be_shown_says_why_and_has_no_picture() -> None:
    told = avatar(AvatarCard("a b", "A", "neural", 8, 8, 25.0, problem="face.onnx: it is missing."))
    assert told["problem"] == "face.onnx: it is missing." and "picture" not in told


def test_a_real_pack_and_some_that_are_none(tmp_path: Path) -> None:
    """With the service that servers run."""
    home = tmp_path / "home"
    with closing(Service(ServiceConfig(home=home))) as service:
        app = make_app(tmp_path, service)  # type: ignore[arg-type]

        def add(data: bytes, name: str = "") -> httpx.Response:
            return ask(app, "POST", AVATARS, files={"pack": ("a.zip", data)}, data={"name": name})

        sound = zip_of(write_pictures(tmp_path / "bob", size=(80, 64)), Path("bob")).getvalue()
        made = add(sound)
        assert made.status_code == 201 and made.json() == ask(app, "GET", f"{AVATARS}/bob").json()
        assert (made.json()["kind"], made.json()["width"], made.json()["source"]) == ("pictures", 80, "added")
        image = Image.open(io.BytesIO(ask(app, "GET", f"{AVATARS}/bob/picture").content))
        assert image.size == (80, 64)
        assert code(add(sound)) == (409, "avatar_exists")
        for name in ("talkie", "auto", "../x"):
            assert add(sound, name).status_code in (400, 409)
        for bad, param in ((b"no zip", "pack.zip"), (zip_with({"../avatar.toml": b""}).getvalue(), "pack.zip")):
            told = add(bad, "bad").json()["error"]
            assert (told["code"], told["param"]) == ("bad_avatar", param) and told["hint"]
        (home / "avatars" / "bob" / "A.png").unlink()
        damaged = ask(app, "GET", f"{AVATARS}/bob").json()
        assert "A.png is missing" in damaged["problem"] and "picture" not in damaged
        assert code(ask(app, "GET", f"{AVATARS}/bob/picture")) == (400, "bad_avatar")
        assert ask(app, "DELETE", f"{AVATARS}/bob").status_code == 200
        assert [one["id"] for one in ask(app, "GET", AVATARS).json()["data"]] == ["talkie"]
        assert list((home / "avatars").iterdir()) == []
