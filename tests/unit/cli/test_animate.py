"""`talkie animate` and `talkie say --face` in this process, with a service that is made up."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from fakes_service import FakeService
from films import seen
from talkie.cli import main
from talkie.cli.face_options import face_request, size_of
from talkie.cli.face_progress import showing
from talkie.errors import Cancelled, EngineFailed, InvalidValue

Run = Callable[..., int]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Service(FakeService):
    closed = False

    def close(self, timeout_s: float = 0.0) -> None:
        self.closed = True


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service()
    monkeypatch.setattr("talkie.compose.build_service", lambda *_, **__: service)
    return service


@pytest.fixture
def talkie(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an empty directory with a recording of two seconds; gives its exit code."""
    monkeypatch.chdir(tmp_path)
    Path("talk.raw").write_bytes(bytes(2000))

    def run(*arguments: object) -> int:
        with pytest.raises(SystemExit) as ended:
            main.run([str(argument) for argument in arguments])
        return int(ended.value.code or 0)

    return run


def left() -> set[str]:
    return {path.name for path in Path().iterdir()} - {"talk.raw"}


@pytest.mark.parametrize("name", ["out.mp4", "out.m4v", "out.webm", "deep/er/out.mp4"])
def test_a_recording_becomes_a_film(talkie: Run, service: Service, name: str) -> None:
    assert talkie("animate", "talk.raw", "-o", name, "--mood", "calm", "--size", "48x32") == 0
    (request,) = service.shown
    assert (request.avatar, request.width, request.height, request.mood) == ("", 48, 32, "calm")
    data = Path(name).read_bytes()
    with av.open(io.BytesIO(data)) as film:
        assert film.format.name.startswith("matroska" if name.endswith("webm") else "mov")
        assert (film.streams.video[0].width, film.streams.video[0].height) == (48, 32)
    found = seen(data)
    assert len(found.times_s) == 50 and found.sound_s == pytest.approx(2, abs=0.03)
    assert service.closed


def test_pictures_and_their_sound_in_a_directory(talkie: Run) -> None:
    assert talkie("animate", "talk.raw", "-o", "frames", "--format", "png") == 0
    names = sorted(path.name for path in Path("frames").iterdir())
    assert names == [*(f"{index:06d}.png" for index in range(50)), "sound.wav"]
    levels = [np.asarray(Image.open(f"frames/{index:06d}.png")).mean() for index in range(7)]
    assert levels[0] == 0 and levels == sorted(levels)
    with av.open("frames/sound.wav") as sound:
        assert sound.duration == 2_000_000
    assert left() == {"frames"}
    assert talkie("animate", "talk.raw", "-o", "frames", "--format", "png") == 2


def test_a_film_into_a_pipe(talkie: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", pipe)
    assert talkie("animate", "talk.raw", "-o", "-") == 0
    assert len(seen(pipe.buffer.getvalue()).times_s) == 50  # type: ignore[attr-defined]
    assert left() == set()


def test_a_text_is_said_by_a_face(talkie: Run, service: Service) -> None:
    arguments = ("--face", "out.mp4", "-o", "out.wav", "--captions", "out.vtt", "--avatar", "talkie", "--size", "64")
    assert talkie("say", "One two three four five.", *arguments) == 0
    assert service.shown[0].avatar == "talkie" and service.shown[0].width == 64
    assert len(seen(Path("out.mp4").read_bytes()).times_s) == 25
    with av.open("out.wav") as sound:
        assert sound.duration == 1_000_000
    assert "One two three four five." in Path("out.vtt").read_text()
    assert left() == {"out.mp4", "out.wav", "out.vtt"}


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "frames"])
@pytest.mark.parametrize(
    ("error", "code"), [(Cancelled(), 130), (KeyboardInterrupt(), 130), (EngineFailed("face", "it fell over."), 1)]
)
def test_what_breaks_off_leaves_nothing(talkie: Run, service: Service, name: str, error: Any, code: int) -> None:
    service.face_breaks = error
    more = ("--format", "png") if name == "frames" else ()
    assert talkie("animate", "talk.raw", "-o", name, *more) == code
    assert left() == set()
    assert service.face_stopped.is_set()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("animate", "talk.raw", "-o", "out.avi"), 2, "no film format 'avi'"),
        (("animate", "talk.raw", "-o", "out"), 2, "Which format"),
        (("animate", "talk.raw", "-o", "out.png"), 2, "a directory of pictures"),
        (("animate", "talk.raw", "-o", "talk.raw", "--format", "mp4"), 2, "replace the recording"),
        (("animate", "talk.raw", "-o", ".", "--format", "mp4"), 2, "is a directory"),
        (("animate", ".", "-o", "out.mp4"), 2, "is a directory"),
        (("animate", "talk.raw", "-o", "-", "--format", "png"), 2, "not a pipe"),
        (("animate", "talk.raw", "-o", "out.mp4", "--size", "big"), 2, "no size"),
        (("animate", "talk.raw", "-o", "out.mp4", "--avatar", "nobody"), 4, "no avatar 'nobody'"),
        (("animate", "talk.raw", "-o", "out.mp4", "--avatar", "./nowhere"), 2, "no directory"),
        (("say", "x", "--face", "out.mp4", "--captions", "x.doc"), 2, "no ending of captions"),
        (("animate", "talk.raw", "-o", "out.mp4", "--raw", "fast"), 3, "RATE"),
        (("say", "x", "--face", "out.gif"), 2, "no film format"),
        (("say", "x", "--face", "-", "-o", "-"), 2, "one pipe"),
        (("say", "x", "--face", "a.mp4", "--captions", "a.vtt", "--server", "http://127.0.0.1:1"), 2, "film alone"),
    ],
)
def test_what_cannot_be_shown_is_a_clear_error(
    talkie: Run, capsys: Any, arguments: tuple[str, ...], code: int, words: str
) -> None:
    assert talkie(*arguments) == code
    told = capsys.readouterr().err
    assert words in told and "error: " in told and left() == set()


@pytest.mark.parametrize(("text", "sides"), [(None, (0, 0)), ("512", (512, 0)), (" 640X480 ", (640, 480))])
def test_sizes(text: str | None, sides: tuple[int, int]) -> None:
    assert size_of(text) == sides


@pytest.mark.parametrize("text", ["", "x", "512x", "0", "31", "9999", "1x1x1", "-64", "64x0"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(InvalidValue):
        size_of(text)


def test_a_pack_is_named_by_its_path_and_an_avatar_by_its_name(tmp_path: Path) -> None:
    pack = tmp_path / "anna"
    pack.mkdir()
    assert face_request(str(pack), None, "").avatar == str(pack)
    assert face_request("anna", None, "").avatar == "anna"
    assert face_request("some/where", None, "", here=False).avatar == "some/where"


def test_a_bar_shows_pictures_a_second_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", terminal)
    with showing("showing", 60.0) as display:
        for count in range(1, 4):
            display.shown(12, count * 10.0)
    shown = terminal.getvalue()
    assert "showing" in shown and "30 s" in shown and " fps" in shown and "left" in shown
    with showing("showing") as display:
        display.received(2_000_000)
    assert "2.0 MB" in terminal.getvalue()


def test_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    with showing("showing", 1.0) as display:
        display.shown(1, 1.0)
        display.received(1)
    assert pipe.getvalue() == ""
