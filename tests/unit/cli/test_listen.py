"""`talkie listen` and `talkie dictate` in this process, in front of a server that is made up."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes_live import FakeLiveSession
from fakes_service import FakeService
from http_door import make_app
from live_files import fake_program, given, recording
from socket_door import serving_beside
from talkie.cli import live_options, main
from talkie.cli.live_ears import parameters
from talkie.cli.live_options import live_request
from talkie.cli.stop import Stop, interrupted_twice
from talkie.errors import InvalidValue, SessionLagging
from talkie.runtime.requests import LiveRequest, TurnOptions
from talkie.transports.keys import KeyRing

Run = Callable[..., int]


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def talkie(tmp_path: Path, service: FakeService) -> Iterator[Run]:
    """Runs a command against the server; gives its exit code."""
    with serving_beside(make_app(tmp_path, service)) as address:

        def run(*arguments: str, server: str = address) -> int:
            with pytest.raises(SystemExit) as ended:
                main.run([*arguments, "--server", server])
            code = ended.value.code
            return int(code or 0)

        yield run


@pytest.fixture
def talk(tmp_path: Path) -> str:
    path = tmp_path / "talk.wav"
    path.write_bytes(recording())
    return str(path)


def test_a_recording_is_listened_to(talkie: Run, talk: str, service: FakeService, capsys: Any) -> None:
    assert talkie("listen", "--file", talk, "--language", "english", "--prompt", "Mr Jones", "--pause", "0.8") == 0
    captured = capsys.readouterr()
    assert captured.out == "hello there general\n" and captured.err == ""
    [asked] = service.sessions[0].requests
    assert (asked.language, asked.prompt, asked.partials) == ("en", "Mr Jones", False)
    assert asked.turns == TurnOptions(silence_ms=800.0) and service.opened[0][0] == "cli"


def test_json_has_partials_too(talkie: Run, talk: str, capsys: Any) -> None:
    assert talkie("listen", "--file", talk, "--json") == 0
    told = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert told == ["speech_started", "partial", "partial", "speech_stopped", "final"]
    assert talkie("listen", "--file", talk, "--json", "--no-partials") == 0
    assert "partial" not in capsys.readouterr().out


def test_times_and_a_file_beside(talkie: Run, talk: str, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "talk.vtt"
    assert talkie("listen", "--file", talk, "--timestamps", "-o", str(path)) == 0
    assert capsys.readouterr().out == "[00:00.0 - 00:00.5] hello there general\n"
    assert path.read_text() == "WEBVTT\n\n00:00:00.000 --> 00:00:00.500\nhello there general\n\n"


@pytest.mark.parametrize("arguments", [("-",), ("--file", "-"), ("-", "--raw-rate", "16000")])
def test_a_pipe(talkie: Run, monkeypatch: Any, capsys: Any, service: FakeService, arguments: tuple[str, ...]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(recording())))
    assert talkie("listen", *arguments) == 0
    assert capsys.readouterr().out == "hello there general\n"
    assert len(service.sessions[0].heard) == (16_044 if "--raw-rate" in arguments else 16_000)


def test_an_error_of_the_session_is_the_commands(talkie: Run, talk: str, service: FakeService, capsys: Any) -> None:
    service.error = SessionLagging(30)
    assert talkie("listen", "--file", talk) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: The machine is 30 seconds behind") and "hint: " in captured.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--file", "/nowhere/talk.wav"), 3, "cannot be opened"),
        (("talk.wav",), 2, "--file PATH"),
        (("--file", "x", "--language", "klingon"), 2, "klingon"),
        (("--file", "x", "--task", "sing"), 2, "sing"),
        (("--file", "x", "--pause", "0"), 2, "pause is 0.1 to 10 seconds"),
        (("--file", "x", "-o", "talk.doc"), 2, ".srt"),
        (("--file", "x", "--raw", "fast"), 3, "RATE"),
    ],
)
def test_what_cannot_be(talkie: Run, capsys: Any, arguments: tuple[str, ...], code: int, said: str) -> None:
    assert talkie("listen", *arguments) == code
    assert said in capsys.readouterr().err


def test_a_server_that_is_away(talkie: Run, talk: str, capsys: Any) -> None:
    assert talkie("listen", "--file", talk, server="http://127.0.0.1:9") == 5
    assert "Nobody answers" in capsys.readouterr().err


def test_the_key_comes_from_the_environment(tmp_path: Path, talk: str, monkeypatch: Any, capsys: Any) -> None:
    key = "tk_" + "k" * 32
    with serving_beside(make_app(tmp_path, FakeService(), keys=KeyRing(key))) as address:
        for wanted, code in ((key, 0), ("wrong", 6)):
            monkeypatch.setenv("TALKIE_API_KEY", wanted)
            with pytest.raises(SystemExit) as ended:
                main.run(["listen", "--file", talk, "--server", address])
            assert (ended.value.code or 0) == code
    assert "hello there general" in capsys.readouterr().out


class _Endless:
    """A source that goes on until it is stopped, and interrupts its own process when it has begun."""

    raw = LiveRequest().raw

    def __init__(self, times: int) -> None:
        self.times, self.stopped = times, False

    def pieces(self, stop: Stop) -> Iterator[bytes]:
        yield bytes(3200)
        for _ in range(self.times):
            os.kill(os.getpid(), signal.SIGINT)
            stop.wait(20)
            yield bytes(3200)
        self.stopped = stop.is_set()

    def close(self) -> None:
        return


def test_an_interrupt_lets_the_last_words_be_heard(talkie: Run, monkeypatch: Any, capsys: Any) -> None:
    source = _Endless(1)
    monkeypatch.setattr(live_options, "open_source", lambda *_, **__: source)
    assert talkie("listen") == 0
    assert capsys.readouterr().out == "hello there general\n" and source.stopped


def test_a_second_interrupt_leaves_at_once(talkie: Run, service: FakeService, monkeypatch: Any, capsys: Any) -> None:
    class Deaf(FakeLiveSession):
        def finish(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    def listen(request: Any, **_: Any) -> FakeLiveSession:
        service.sessions.append(Deaf(request, ("never",)))
        return service.sessions[-1]

    monkeypatch.setattr(service, "listen", listen)
    monkeypatch.setattr(live_options, "open_source", lambda *_, **__: _Endless(1))
    assert talkie("listen") == 130
    assert capsys.readouterr().out == "" and service.sessions[0].closed.wait(20)


def test_what_is_said_is_copied(talkie: Run, talk: str, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    path = fake_program(tmp_path, "wl-copy")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert talkie("dictate", "--file", talk) == 0
    assert given(path) == "|hello there general" and capsys.readouterr().out == "hello there general\n"


def test_what_is_said_is_typed(talkie: Run, talk: str, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    path = fake_program(tmp_path, "xdotool")
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    assert talkie("dictate", "--file", talk, "--type") == 0
    assert given(path) == "type --clearmodifiers --file -|hello there general"


def test_without_programs_it_is_printed(talkie: Run, talk: str, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert talkie("dictate", "--file", talk) == 0
    captured = capsys.readouterr()
    assert captured.out == "hello there general\n" and "wl-clipboard" in captured.err
    fake_program(tmp_path, "ydotool", fails=True)
    assert talkie("dictate", "--file", talk, "--type") == 0
    assert "ydotool failed with exit code 1" in capsys.readouterr().err
    assert talkie("dictate", "--file", talk, "--print") == 0
    assert capsys.readouterr().err == ""


def test_nothing_said_is_not_copied(talkie: Run, talk: str, service: FakeService, capsys: Any) -> None:
    service.live_texts = ()
    assert talkie("dictate", "--file", talk, "--print") == 0
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == "note: nothing was said.\n"


def test_a_silence_ends_what_is_said(talkie: Run, service: FakeService, monkeypatch: Any, capsys: Any) -> None:
    class Turning(FakeLiveSession):
        """Hears the silence in the second piece."""

        def offer(self, data: bytes) -> bool:
            taken = super().offer(data)
            if len(self.heard) > 3200:
                self.commit()
            return taken

    def listen(request: Any, **_: Any) -> FakeLiveSession:
        service.sessions.append(Turning(request, ("so be it",)))
        return service.sessions[-1]

    class Waiting(_Endless):
        def pieces(self, stop: Stop) -> Iterator[bytes]:
            yield bytes(3200)
            yield bytes(3200)
            self.stopped = stop.wait(20)

    source = Waiting(0)
    monkeypatch.setattr(service, "listen", listen)
    monkeypatch.setattr(live_options, "open_source", lambda *_, **__: source)
    assert talkie("dictate", "--once", "--pause", "1.5", "--print") == 0
    assert source.stopped and capsys.readouterr().out == "so be it\n"
    assert service.sessions[0].requests[0].turns == TurnOptions(silence_ms=1500.0)


def test_no_terminal_and_no_silence(talkie: Run, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert talkie("dictate") == 2
    assert "--pause 1.5" in capsys.readouterr().err


def test_a_request_as_parameters() -> None:
    plain = parameters(live_request(language=None, task="transcribe"))
    assert plain == {
        "endpointing": "500",
        "sample_rate": 16_000,
        "channels": 1,
        "encoding": "s16le",
        "client": "cli",
    }
    asked = live_request(language="german", task="translate", model="m", hotwords="x", partials=False, words=False)
    assert (
        parameters(asked).items()
        >= {
            "language": "de",
            "task": "translate",
            "model": "m",
            "hotwords": "x",
            "interim_results": False,
            "words": False,
        }.items()
    )
    assert parameters(LiveRequest(turns=None))["vad"] is False
    with pytest.raises(InvalidValue):
        live_request(language=None, task="transcribe", pause_s=60)


def test_a_wish_to_stop() -> None:
    stop = Stop()
    assert not stop.wait(0.0) and not stop.wait(0.01) and not stop.is_set()
    with interrupted_twice(stop):
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(20) and stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(20)
