"""`talkie listen` and `talkie dictate` as real processes: on a terminal, with the built-in engine, at a pipe."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from commands import COMMANDS
from fakes_service import FakeService
from http_door import make_app
from live_files import fake_program, given
from server_fixtures import speech_pcm, speech_wav
from server_process import TALKIE, environment
from socket_door import serving_beside
from whisper_models import TRAINED

PRETEND = Path(__file__).parents[1] / "pretend"
PATIENCE_S = 60.0


@dataclass
class Terminal:
    """A program on a terminal of its own. `seen` is all that it wrote there."""

    process: subprocess.Popen[bytes]
    screen: int
    seen: str = field(default="")

    def wait_for(self, text: str) -> str:
        """Until the text stands on the screen; what has been written since the last wait."""
        until_s = time.monotonic() + PATIENCE_S
        while text not in self.seen:
            assert time.monotonic() < until_s, self.seen
            if select.select([self.screen], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.screen, 65_536).decode()
                except OSError:
                    raise AssertionError(self.seen) from None
        before, _, self.seen = self.seen.partition(text)
        return before

    def press(self, keys: str) -> None:
        os.write(self.screen, keys.encode())

    def end(self) -> int:
        """What is still to come is read, so that nothing waits for us; the exit code."""
        with contextlib.suppress(OSError):
            while data := os.read(self.screen, 65_536):
                self.seen += data.decode()
        return self.process.wait(PATIENCE_S)


@contextlib.contextmanager
def on_terminal(*arguments: str, env: Mapping[str, str]) -> Iterator[Terminal]:
    screen, inner = pty.openpty()
    process = subprocess.Popen(
        [*TALKIE, *arguments],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=environment(env),
        start_new_session=True,
    )
    os.close(inner)
    try:
        yield Terminal(process, screen)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE_S)
        os.close(screen)


@pytest.fixture
def desk(tmp_path: Path) -> dict[str, str]:
    """A desktop with a microphone and a clipboard, both pretended."""
    return {
        "PYTHONPATH": f"{PRETEND}:{PRETEND.parent}",
        "PATH": str(tmp_path),
        "WAYLAND_DISPLAY": "wayland-0",
        "TERM": "xterm",
        "TALKIE_HOME": str(tmp_path / "home"),
    }


def test_a_key_begins_and_ends_what_is_dictated(tmp_path: Path, desk: dict[str, str]) -> None:
    program = fake_program(tmp_path, "wl-copy")
    service = FakeService()
    with (
        serving_beside(make_app(tmp_path, service)) as address,
        on_terminal("dictate", "--server", address, env=desk) as terminal,
    ):
        for key in (" ", "\r"):
            terminal.wait_for("Enter or Space: speak.")
            terminal.press(key)
            terminal.wait_for("there general")  # which is lighter than what stands before it
            terminal.press(key)
            terminal.wait_for("Copied with wl-copy.")
            assert given(program) == "|hello there general"
        terminal.wait_for("Enter or Space: speak.")
        terminal.press("q")
        assert terminal.end() == 0
    assert [session.closed.is_set() for session in service.sessions] == [True, True]
    assert len(service.sessions[0].heard) > 0 and service.sessions[0].requests[0].raw.sample_rate == 16_000


def test_the_microphone_is_heard_until_ctrl_c(tmp_path: Path, desk: dict[str, str]) -> None:
    """Partials are painted over one another, the final scrolls."""
    with (
        serving_beside(make_app(tmp_path, FakeService())) as address,
        on_terminal("listen", "--server", address, "--timestamps", env=desk) as terminal,
    ):
        terminal.wait_for("Speak. Ctrl-C ends.")
        terminal.wait_for("there general")
        terminal.process.send_signal(signal.SIGINT)
        after = terminal.wait_for("] hello there general")
        assert terminal.end() == 0
    assert "\x1b[2K" in after and "[00:00.0 - " in after


def run(*arguments: str, home: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    env = environment({"TALKIE_HOME": str(home)})
    return subprocess.run([*TALKIE, *arguments], input=stdin, capture_output=True, env=env, timeout=100, check=False)


def test_the_built_in_engine_hears_a_recording_as_talkie_transcribe_does(tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    path.write_bytes(speech_wav("two three four five"))
    listened = run("listen", "--file", str(path), "--json", home=tmp_path)
    transcribed = run("transcribe", str(path), home=tmp_path)
    told = [json.loads(line) for line in listened.stdout.splitlines()]
    finals = [one["text"] for one in told if one["type"] == "final"]
    assert listened.returncode == 0 and " ".join(finals) == transcribed.stdout.decode().strip(), listened.stderr
    assert finals[0].split()[0] == "two" and finals[-1].split()[-1] == "five"
    assert [one["code"] for one in told if one["type"] == "warning"] == ["built_in_model"]


@pytest.mark.skipif(not (TRAINED / "model.bin").exists(), reason="the trained test model is not here")
def test_twenty_sayings_come_out_a_line_each(tmp_path: Path) -> None:
    """The small test model hears each by itself; between long pauses it may mishear one."""
    path = tmp_path / "talk.raw"
    path.write_bytes(b"".join(bytes(16_000) + speech_pcm(text) + bytes(16_000) for text in COMMANDS))
    arguments = ("--raw", "16000", "--model", str(TRAINED), "--threads", "1", "--language", "en")
    listened = run("listen", "--file", str(path), *arguments, home=tmp_path)
    lines = [line.lower().strip(" .!?") for line in listened.stdout.decode().splitlines()]
    assert len(lines) == len(COMMANDS), listened.stderr
    wrong = [(said, line) for said, line in zip(COMMANDS, lines, strict=True) if said != line]
    assert len(wrong) <= 1, wrong


def test_what_is_piped_in_is_heard_to_its_end_at_ctrl_c(tmp_path: Path) -> None:
    """The pipe stays open; the interrupt ends it, and the last words come out."""
    env = environment({"TALKIE_HOME": str(tmp_path)})
    process = subprocess.Popen(
        [*TALKIE, "listen", "-", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
    )
    assert process.stdin and process.stdout
    with process.stdin, process.stdout:
        process.stdin.write(speech_wav("two three four five"))
        process.stdin.flush()
        while json.loads(process.stdout.readline())["type"] != "speech_started":
            pass
        process.send_signal(signal.SIGINT)
        rest = [json.loads(line) for line in process.stdout.read().splitlines()]
        assert process.wait(PATIENCE_S) == 0
    assert [one["text"].split()[0] for one in rest if one["type"] == "final"] == ["two"]
