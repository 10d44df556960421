"""The route that animates, in front of a service that is made up: what comes out, what is refused, who stops it."""

from __future__ import annotations

import contextlib
import io
import json
import time
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from PIL import Image

from fakes_service import FakeService
from http_door import ask, make_app
from socket_door import serving_beside
from talkie.errors import AudioTooLong, AvatarNotFound, EngineFailed, NothingToSay, QueueFull, TalkieError
from talkie.transports.keys import KeyRing, new_key, write_keys
from talkie.wire.video import BOUNDARY

ANIMATE = "/v1/video/avatars/talkie/animate"
CANARY = "canary sentence"
WAIT_S = 20.0


def say(directory: Path, service: FakeService | None = None, path: str = ANIMATE, **fields: Any) -> httpx.Response:
    """A text for the face, as JSON."""
    return ask(make_app(directory, service), "POST", path, json={"input": "one two three", **fields})


def film(data: bytes) -> tuple[int, float]:
    """How many pictures there are, and seconds of sound."""
    with av.open(io.BytesIO(data)) as container:
        pictures = sum(1 for _ in container.decode(video=0))
    with av.open(io.BytesIO(data)) as container:
        return pictures, sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


@pytest.mark.parametrize("form", ["mp4", "webm"])
def test_a_text_becomes_a_film(tmp_path: Path, form: str) -> None:
    service = FakeService()
    answer = say(tmp_path, service, response_format=form, width=96, height=80, mood="calm")
    assert answer.status_code == 200 and answer.headers["content-type"] == f"video/{form}"
    pictures, sound_s = film(answer.content)
    assert pictures == 15 and sound_s == pytest.approx(0.6, abs=0.05)
    asked = service.shown[-1]
    assert (asked.avatar, asked.width, asked.height, asked.mood) == ("talkie", 96, 80, "calm")


def test_a_recording_as_a_form_or_bare(tmp_path: Path) -> None:
    app = make_app(tmp_path, service := FakeService())
    form = ask(app, "POST", ANIMATE, files={"file": ("canary.wav", bytes(800))}, data={"height": "64"})
    bare = ask(
        app,
        "POST",
        ANIMATE + "?width=64&sample_rate=8000",
        content=bytes(800),
        headers={"Content-Type": "audio/wav"},
    )
    assert [film(answer.content)[0] for answer in (form, bare)] == [20, 20]
    assert service.shown[0].height == 64 and service.shown[0].raw is None
    assert service.shown[1].width == 64 and service.shown[1].raw is not None
    assert service.shown[1].raw.sample_rate == 8000
    assert list(tmp_path.iterdir()) == []


def test_a_text_in_a_form(tmp_path: Path) -> None:
    fields = {"input": (None, "one two"), "speed": (None, "1.5"), "response_format": (None, "mjpeg")}
    answer = ask(make_app(tmp_path), "POST", ANIMATE, files=fields)
    assert answer.status_code == 200 and answer.content.count(b"Content-Type: image/jpeg") == 10


def test_pictures_one_after_another_in_real_time(tmp_path: Path) -> None:
    began = time.monotonic()
    answer = say(tmp_path, response_format="mjpeg", input="one two")
    assert time.monotonic() - began > 0.35  # 0.4 s of pictures, none before its time
    assert answer.headers["content-type"] == f"multipart/x-mixed-replace; boundary={BOUNDARY}"
    parts = answer.content.split(f"--{BOUNDARY}".encode())
    assert parts[0] == b"" and parts[-1] == b"--\r\n" and len(parts) == 12
    levels = []
    for part in parts[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        assert head.endswith(str(len(data) - 2).encode())
        levels.append(float(np.asarray(Image.open(io.BytesIO(data))).mean()))
    seen = 0
    with av.open(io.BytesIO(answer.content), format="mpjpeg") as theirs, contextlib.suppress(av.InvalidDataError):
        for _ in theirs.decode(video=0):  # FFmpeg reads it too, and stumbles over the end of every multipart
            seen += 1
    assert seen in (9, 10)  # the last may still be in its decoder
    assert levels[0] < 10 and levels[6] > 200  # the fake's face swells with its sound


@pytest.mark.parametrize(
    ("error", "status"),
    [(AudioTooLong(9), 413), (QueueFull(3), 503), (EngineFailed("face", "it broke"), 500), (NothingToSay(), 400)],
)
def test_what_fails_at_once_has_a_status(tmp_path: Path, error: TalkieError, status: int) -> None:
    service = FakeService()
    service.face_raises = error
    answer = say(tmp_path, service, input=CANARY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, error.code)
    assert "canary" not in answer.text


def test_what_cannot_be_is_named(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"input": None}, "input"),
        ({"input": 3}, "input"),
        ({"response_format": "gif"}, "response_format"),
        ({"width": 31}, "width"),
        ({"width": 100_000}, "width"),
        ({"height": 64.5}, "height"),
        ({"height": "tall"}, "height"),
        ({"mood": "m" * 65}, "mood"),
        ({"speed": 9}, "speed"),
    ]
    for fields, param in wrong:
        answer = ask(app, "POST", ANIMATE, json={"input": "one", **fields})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_neither_or_both(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    none = ask(app, "POST", ANIMATE, files={"width": (None, "64")})
    both = ask(app, "POST", ANIMATE, files={"file": b"sound", "input": (None, "text")})
    assert [(answer.status_code, answer.json()["error"]["param"]) for answer in (none, both)] == [
        (400, "file"),
        (400, "input"),
    ]


def test_names_that_are_none_are_not_found(tmp_path: Path) -> None:
    app = make_app(tmp_path, service := FakeService())
    names = ["nobody", "..%2f..%2fetc%2fpasswd", "..", ".hidden", "%2e%2e", "a%5cb", "a%00b", "x" * 200, "%2fetc"]
    answers = [ask(app, "POST", f"/v1/video/avatars/{name}/animate", json={"input": "one"}) for name in names]
    assert [answer.status_code for answer in answers] == [404] * len(names)
    assert [asked.avatar for asked in service.shown] == ["nobody"]


def test_bounds_of_bodies(tmp_path: Path) -> None:
    app = make_app(tmp_path, max_bytes=1000)
    large = ask(app, "POST", ANIMATE, files={"file": bytes(2000)})
    text = ask(app, "POST", ANIMATE, content=b" " * 8_000_001)
    broken = ask(app, "POST", ANIMATE, content=b'{"input": ')
    assert [answer.status_code for answer in (large, text, broken)] == [413, 413, 400]
    assert list(tmp_path.iterdir()) == []


def test_keys_their_scopes_and_their_avatars(tmp_path: Path) -> None:
    scopes = {"mine": ["animate"], "theirs": ["animate"], "deaf": ["speak", "transcribe"], "chief": ["admin"]}
    made = {name: new_key(name, given) for name, given in scopes.items()}
    write_keys(tmp_path / "keys.toml", [stored for _, stored in made.values()])
    service = FakeService()
    service.add_avatar(io.BytesIO(b"zip"), name="anna", owner="mine")
    app = make_app(tmp_path / "uploads", service, keys=KeyRing(path=tmp_path / "keys.toml"))
    path, body = "/v1/video/avatars/anna/animate", {"input": "one", "width": 64, "height": 64}
    answers = [
        ask(app, "POST", path, json=body, headers={"Authorization": f"Bearer {key}"}) for key, _ in made.values()
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 403, 200]
    assert answers[1].json()["error"]["code"] == AvatarNotFound.code
    assert ask(app, "POST", path, json=body).status_code == 401


def test_what_breaks_later_cuts_the_connection(tmp_path: Path) -> None:
    service = FakeService()
    service.face_breaks = EngineFailed("face", "it broke")
    with serving_beside(make_app(tmp_path, service)) as address, httpx.Client(timeout=WAIT_S) as http:
        with (
            pytest.raises(httpx.RemoteProtocolError),
            http.stream("POST", f"http://{address}{ANIMATE}", json={"input": "one two three"}) as answer,
        ):
            assert answer.status_code == 200
            for _ in answer.iter_bytes():
                pass
        assert http.get(f"http://{address}/healthz").status_code == 200


@pytest.mark.parametrize("form", ["mp4", "mjpeg"])
def test_a_client_that_leaves_stops_the_work(tmp_path: Path, form: str) -> None:
    service = FakeService()
    service.chunk_wait_s = 0.01
    body = {"input": "word " * 20_000, "response_format": form}
    with serving_beside(make_app(tmp_path, service)) as address:
        with httpx.stream("POST", f"http://{address}{ANIMATE}", json=body, timeout=WAIT_S) as answer:
            next(answer.iter_raw())
        assert service.face_stopped.wait(WAIT_S)


def test_the_description_tells_of_it(tmp_path: Path) -> None:
    spec = json.loads(ask(make_app(tmp_path), "GET", "/openapi.json").content)
    operation = spec["paths"]["/v1/video/avatars/{name}/animate"]["post"]
    assert set(operation["requestBody"]["content"]) == {"application/json", "multipart/form-data"}
    assert set(operation["responses"]["200"]["content"]) >= {"video/mp4", "video/webm", "multipart/x-mixed-replace"}


def test_leaving_before_the_first_byte_stops_the_work_too(tmp_path: Path) -> None:
    service = FakeService()
    service.chunk_wait_s = 0.5
    with serving_beside(make_app(tmp_path, service)) as address:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"http://{address}{ANIMATE}", json={"input": "word " * 100}, timeout=0.2)
        assert service.face_stopped.wait(WAIT_S)
