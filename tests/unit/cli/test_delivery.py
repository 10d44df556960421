"""Programs that take text, as real processes that write down what they were given."""

from __future__ import annotations

from pathlib import Path

import pytest

from live_files import fake_program, given
from talkie.cli import delivery
from talkie.cli.delivery import PROGRAMS, Program, deliver, fitting
from talkie.settings import Desktop, desktop

NASTY = 'it\'s $HOME; `rm -rf /` "quoted" -n --help ü 日本'


def test_every_program_reads_its_text_from_a_pipe(tmp_path: Path) -> None:
    for programs in PROGRAMS.values():
        for program in programs:
            path = fake_program(tmp_path, program.name)
            assert deliver(NASTY, [(program, str(path))]).by == program.name
            assert given(path) == f"{' '.join(program.arguments)}|{NASTY}"


def test_one_that_fails_gives_way(tmp_path: Path) -> None:
    bad, good = Program("bad", (), "any"), Program("good", (), "any")
    broken = tmp_path / "broken"
    broken.write_text("no program")
    programs = [
        (bad, str(fake_program(tmp_path, "bad", fails=True))),
        (bad, str(broken)),
        (good, str(fake_program(tmp_path, "good"))),
    ]
    done = deliver("text", programs)
    assert done.by == "good" and done.problems[0] == "bad failed with exit code 1"
    assert done.problems[1].startswith("bad cannot be started")
    assert deliver("text", programs[:1]).by is None and deliver("text", []).by is None


def test_one_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "START_S", 0.2)
    path = tmp_path / "hangs"
    path.write_text("#!/bin/sh\nexec sleep 60\n")
    path.chmod(0o755)
    assert deliver("", [(Program("hangs", (), "any"), str(path))]).problems == ("hangs took too long",)


@pytest.mark.parametrize(
    ("where", "copies", "types"),
    [
        (Desktop(wayland=True), ["wl-copy"], ["wtype", "ydotool"]),
        (Desktop(x11=True), ["xclip", "xsel"], ["xdotool", "ydotool"]),
        (Desktop(wayland=True, x11=True), ["wl-copy", "xclip", "xsel"], ["wtype", "xdotool", "ydotool"]),
        (Desktop(), [], ["ydotool"]),
    ],
)
def test_which_programs_fit_the_desktop(where: Desktop, copies: list[str], types: list[str]) -> None:
    def find(name: str) -> str | None:
        return None if name in ("pbcopy", "clip.exe") else f"/bin/{name}"

    assert [program.name for program, _ in fitting("copy", where, find)] == copies
    assert [path for _, path in fitting("type", where, find)] == [f"/bin/{name}" for name in types]
    assert fitting("type", where, lambda name: None) == []


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, Desktop(wayland=True, x11=True)),
        ({"XDG_SESSION_TYPE": "wayland"}, Desktop(wayland=True)),
        ({"XDG_SESSION_TYPE": "x11", "DISPLAY": ":1"}, Desktop(x11=True)),
        ({"XDG_SESSION_TYPE": "tty"}, Desktop()),
    ],
)
def test_what_the_desktop_is(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], found: Desktop) -> None:
    for name in ("WAYLAND_DISPLAY", "DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert desktop() == found
