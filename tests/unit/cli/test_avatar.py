"""`talkie avatar`, on this machine's store and on a server's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from PIL import Image

from avatar_packs import write_neural, write_picture, write_pictures, zip_of
from fakes_service import FakeService
from http_door import make_app
from socket_door import serving_beside
from talkie import avatar_client
from talkie.avatar_client import AvatarClient
from talkie.cli import avatar_keeper, main
from talkie.cli.output import FAILED, OK
from talkie.errors import AnswerError, AvatarExists, AvatarNotFound, ServerUnreachable

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """The command: its exit code, its lines on stdout, and all of stderr."""
    monkeypatch.setenv("TALKIE_HOME", str(tmp_path / "home"))

    def call(*arguments: object) -> tuple[int, list[str], str]:
        with pytest.raises(SystemExit) as ended:
            main.run(["avatar", *map(str, arguments)])
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out.splitlines(), told.err

    return call


def picture_in(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        return image


def test_a_pack_is_added_listed_shown_and_removed(run: Run, tmp_path: Path) -> None:
    pack = write_pictures(tmp_path / "bob", size=(96, 64))
    assert run("add", pack) == (OK, ["bob"], "")
    (tmp_path / "b.zip").write_bytes(zip_of(pack).getvalue())
    assert run("add", tmp_path / "b.zip", "--name", "carl")[1] == ["carl"]
    code, lines, _ = run("list")
    assert code == OK and [line.split()[0] for line in lines] == ["AVATAR", "talkie", "bob", "carl"]
    assert lines[2].split()[1:] == ["bob", "pictures", "96x64", "25", "0", "MB", "CC0-1.0"]
    picture = tmp_path / "rest.png"
    assert run("show", "bob", "-o", picture)[1] == [str(picture)]
    assert picture_in(picture).size == (96, 64) and picture_in(picture).getpixel((5, 5)) == (180, 180, 180)
    assert "bob is gone" in run("remove", "bob")[2]
    assert [one["name"] for one in json.loads(run("list", "--json")[1][0])["avatars"]] == ["talkie", "carl"]
    for command in (("remove", "bob"), ("show", "bob", "-o", picture)):
        code, _, told = run(*command)
        assert code != OK and "There is no avatar 'bob'" in told


def test_the_built_in_face_at_rest(run: Run, tmp_path: Path) -> None:
    assert run("show", "talkie", "--output", tmp_path / "t.jpg")[0] == OK
    image = picture_in(tmp_path / "t.jpg")
    assert (image.format, image.size) == ("JPEG", (512, 512)) and len(image.resize((16, 16)).getcolors() or ()) > 10


def test_a_check_tells_all_with_hints(run: Run, tmp_path: Path) -> None:
    good = write_pictures(tmp_path / "good")
    assert run("check", good) == (OK, ["good: good"], "")
    (tmp_path / "good.zip").write_bytes(zip_of(good, Path("good")).getvalue())
    assert run("check", tmp_path / "good.zip") == (OK, ["good: good"], "")
    bad = write_neural(tmp_path / "bad", table="fpz = 1\n")
    write_picture(bad / "frames" / "2.png", (32, 32), 1)
    code, lines, _ = run("check", bad)
    assert code == FAILED and lines[:2] == ["error: fpz: there is no such key.", "  hint: Did you mean fps?"]
    assert lines[-1] == "bad: 2 errors, 0 warnings"
    assert list(tmp_path.glob("home/avatars/*")) == []


def test_a_check_for_programs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "none.zip").write_bytes(b"no zip")
    code, lines, _ = run("check", tmp_path / "none.zip", "--json")
    told = json.loads(lines[0])
    assert code == FAILED and told["ok"] is False and told["findings"][0]["where"] == "pack.zip"
    code, lines, _ = run("check", write_pictures(tmp_path / "good"), "--json")
    assert (code, json.loads(lines[0])) == (OK, {"ok": True, "findings": []})


def test_a_check_opens_the_networks(run: Run, tmp_path: Path) -> None:
    pack = write_neural(tmp_path / "anna", frames=1)
    assert run("check", pack) == (OK, ["anna: good"], "")
    data = bytearray((pack / "face.onnx").read_bytes())
    data = data.replace(b"Reshape", b"Reshapz")
    (pack / "face.onnx").write_bytes(data)
    code, lines, _ = run("check", pack)
    assert code == FAILED and lines[-1] == "anna: 1 error, 0 warnings", "it has the right shape and cannot be opened"


def test_what_is_not_there(run: Run, tmp_path: Path) -> None:
    for command in ("check", "add"):
        code, _, told = run(command, tmp_path / "nothing")
        assert code != OK and "there is no such file" in told
    code, _, told = run("show", "talkie", "-o", tmp_path / "a.gif")
    assert code != OK and ".png" in told


def test_on_a_server(run: Run, tmp_path: Path) -> None:
    service = FakeService()
    pack = write_pictures(tmp_path / "bob")
    with serving_beside(make_app(tmp_path, service)) as address:
        server = ("--server", address)
        assert run("add", pack, "--name", "bert", *server)[:2] == (OK, ["bert"])
        assert [line.split()[0] for line in run("list", *server)[1]] == ["AVATAR", "talkie", "bert"]
        assert run("show", "talkie", "-o", tmp_path / "a.png", *server)[0] == OK
        assert picture_in(tmp_path / "a.png").size == (64, 64)
        code, _, told = run("add", pack, "--name", "bert", *server)
        assert code != OK and "there already" in told
        assert run("remove", "bert", *server)[0] == OK and not service.packs


def test_the_client_raises_what_the_server_says(tmp_path: Path) -> None:
    with serving_beside(make_app(tmp_path, FakeService())) as address, AvatarClient(address) as client:
        (tmp_path / "a.zip").write_bytes(b"PK")
        assert client.add_avatar(tmp_path / "a.zip", "anna")["id"] == "anna"
        with pytest.raises(AvatarExists):
            client.add_avatar(tmp_path / "a.zip", "anna")
        for act in (client.remove_avatar, client.picture):
            with pytest.raises(AvatarNotFound):
                act("no body")


def test_answers_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK")

    def client(response: httpx.Response) -> AvatarClient:
        return AvatarClient(transport=httpx.MockTransport(lambda request: response))

    with pytest.raises(AnswerError):
        client(httpx.Response(200, json=[])).add_avatar(tmp_path / "a.zip")
    for answer in ({"data": [{"title": "x"}]}, {"data": [{"id": "x", "moods": 3}]}):
        with pytest.raises(AnswerError):
            avatar_keeper.RemoteKeeper(client(httpx.Response(200, json=answer))).avatars()
    with pytest.raises(AnswerError, match="no picture"):
        avatar_keeper.RemoteKeeper(client(httpx.Response(200, content=b"hello"))).picture("x")
    monkeypatch.setattr(avatar_client, "MAX_PICTURE_BYTES", 10)
    with pytest.raises(AnswerError, match="does not end"):
        client(httpx.Response(200, content=bytes(11))).picture("x")

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("cut")

    with pytest.raises(ServerUnreachable):
        AvatarClient(transport=httpx.MockTransport(broken)).picture("x")
