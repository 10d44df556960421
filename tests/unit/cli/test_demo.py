from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from talkie.bench.served import Served
from talkie.cli import demo
from talkie.cli.demo import Heard, Spoken
from talkie.text.wer import word_error_rate
from talkie.types import Notice, Segment, Transcript, Word


def heard(said: str, text: str, *notices: Notice) -> Heard:
    words = tuple(Word(word, index * 0.5, index * 0.5 + 0.5) for index, word in enumerate(text.split()))
    transcript = Transcript((Segment(text, 0, 2, words),) if text else (), notices=notices)
    return Heard(Spoken(said, Path("/home/me/my talks/1.wav"), 2.0, 0.1), transcript, 0.5, word_error_rate(said, text))


def shown(show: Any, *arguments: Any) -> str:
    console = Console(file=io.StringIO(), width=100)
    show(console, *arguments)
    return cast(io.StringIO, console.file).getvalue()


def test_what_counts_as_well() -> None:
    good, bad = heard("one two three four", "one two three more"), heard("one two three four", "five six")
    assert demo.error_rate([good]) == 0.25 and demo.went_well([good])
    assert demo.error_rate([good, bad]) == 5 / 8 and not demo.went_well([good, bad])
    assert not demo.went_well([heard("one", "")])


def test_a_sentence_with_its_times() -> None:
    told = shown(demo.show, heard("one two [b]", "one too"))
    assert "said   one two [b]" in told and "heard  one too" in told and "0.00 one  0.50 too" in told
    assert "1 of 2 words wrong, 0.50 s for 2.0 s of speech" in told
    assert "(nothing)" in shown(demo.show, heard("one", ""))


def test_the_totals() -> None:
    server = Served(1, cast(Any, None), "http://127.0.0.1:1", 0.41, 1.02)
    told = shown(demo.totals, server, [heard("one two", "one two"), heard("one two", "one too")])
    for figure in ("0.41 s", "1.02 s", "0.20 s for 4.0 s", "4.0 times as fast", "25 %"):
        assert figure in told


def test_what_to_try_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo.shutil, "which", lambda name: "/bin/talkie")
    rough = shown(demo.what_next, [heard("one", "one", Notice("built_in_model", ""))])
    assert "talkie pull whisper-base" in rough and "talkie transcribe '/home/me/my talks/1.wav'" in rough
    assert "first try" in rough.replace("\n", " ")
    assert "pull" not in shown(demo.what_next, [heard("one", "one")])
    assert "talkie doctor" in shown(demo.what_next, [heard("one", "")]).partition("Try next")[0]


@pytest.mark.parametrize(
    ("called", "program"),
    [("/opt/my env/bin/talkie", "'/opt/my env/bin/talkie'"), ("/src/talkie/__main__.py", "-m talkie")],
)
def test_how_to_call_it_again(called: str, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo.shutil, "which", lambda name: None)
    monkeypatch.setattr(demo.sys, "argv", [called])
    assert demo._program().endswith(program)
