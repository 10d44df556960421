from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

from talkie.cli import output
from talkie.errors import BusyError, EmptyAudio

DOCS = Path(__file__).resolve().parents[3] / "docs" / "cli.md"


def test_errors_and_notes_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_error(EmptyAudio(), "talk.wav")
    output.show_error(BusyError("later"))
    output.note("well")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "error: talk.wav: The file holds no audio at all.",
        "hint: Was the recording stopped before it began?",
        "error: later",
        "note: well",
    ]


def test_a_stderr_that_is_closed_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    output.say("nobody hears")


def test_sizes_and_tables() -> None:
    assert [output.size(count) for count in (0, 145e6, 3.1e9)] == ["0 MB", "145 MB", "3.1 GB"]
    assert list(output.table(("A", "LONG"), [("wide one", "b")])) == ["A         LONG", "wide one  b"]
    assert list(output.table(("A", "B"), [])) == ["A  B"]


def test_the_exit_codes_are_documented() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", DOCS.read_text(encoding="utf-8"), re.M)}
    assert documented == {output.OK, *output.EXIT_CODES.values()}
