from __future__ import annotations

import io
import sys

import pytest

from talkie.cli import progress
from talkie.types import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    with progress.shown("a.wav") as display:
        display.update(Progress(1.0, 2.0))
        with display.aside():
            pass
    assert pipe.getvalue() == ""


def test_a_bar_on_a_terminal_that_steps_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(sys, "stdout", terminal)
    with progress.shown("[bold]a.wav") as display:
        display.update(Progress(30.0, 60.0))
        with display.aside():
            sys.stdout.write("hello there\n")
        display.update(Progress(60.0, None))
    shown = terminal.getvalue()
    assert "[bold]a.wav" in shown and "30 s" in shown and "hello there\n" in shown
    assert shown.index("30 s") < shown.index("hello there")
