from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from talkie.cli import preparing
from talkie.errors import ModelBroken
from talkie.runtime.preparation import Preparations
from talkie.runtime.requests import TranscribeRequest

REQUEST = TranscribeRequest(model="whisper-tiny")


@dataclass
class FakeService:
    """A service that prepares its model in two steps."""

    new: bool = True
    error: Exception | None = None
    preparations: Preparations = field(default_factory=Preparations)
    done: list[str] = field(default_factory=list)

    def is_new(self, request: TranscribeRequest) -> bool:
        return self.new

    def prepare(self, request: TranscribeRequest) -> None:
        with self.preparations.of(request.model) as step:
            for share in (0.1, 0.2, 0.5, 1.0):
                step(share)
            if self.error:
                raise self.error
        self.done.append("prepared")

    def close(self, grace_s: float) -> None:
        self.done.append("closed")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def prepare(service: Any) -> None:
    preparing.prepare(service, REQUEST)


def test_lines_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    service = FakeService()
    prepare(service)
    what = "preparing whisper-tiny for this machine, once"
    assert capsys.readouterr().err.splitlines() == [f"{what}: {percent} %" for percent in (10, 50, 100)]
    assert service.done == ["prepared"]


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    prepare(FakeService())
    assert "preparing whisper-tiny for this machine, once" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


def test_what_was_prepared_before_is_not_opened_early(capsys: pytest.CaptureFixture[str]) -> None:
    service = FakeService(new=False)
    prepare(service)
    assert service.done == [] and capsys.readouterr().err == ""


def test_a_model_that_cannot_be_opened_gives_everything_back(capsys: pytest.CaptureFixture[str]) -> None:
    service = FakeService(error=ModelBroken("whisper-tiny", "on purpose"))
    listener: Callable[[str, float], None] = service.preparations.listen
    with pytest.raises(ModelBroken):
        prepare(service)
    assert service.done == ["closed"]
    assert service.preparations.listen is not listener and service.preparations.state("whisper-tiny") == ""
