from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from talkie.cli import live_screen
from talkie.cli.live_screen import JsonLines, Lines, clock, filed, last_columns, painted
from talkie.types import LiveEvent, LiveFinal, LiveNotice, LivePartial, Notice, Segment, Span, SpeechStarted, Transcript


class Kept:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


def final(text: str, number: int = 0, start_s: float = 1.0, end_s: float = 2.5) -> LiveFinal:
    segments = (Segment(text, start_s, end_s),) if text else ()
    return LiveFinal(number, Span(start_s, end_s), Transcript(segments, "en"))


SPOKEN: list[LiveEvent] = [
    SpeechStarted(0, 1.0),
    LivePartial(0, 1.0, 1.5, "", "hello"),
    LivePartial(0, 1.0, 2.0, "hello", "wor"),
    final("hello world"),
    final("", 1),
    LiveNotice(Notice("n", "take note")),
]


def test_lines_are_finals_alone(capsys: pytest.CaptureFixture[str]) -> None:
    kept = Kept()
    for event in SPOKEN:
        Lines(kept, times=False).show(event)
    assert kept.text == "hello world\n" and capsys.readouterr().err == "note: take note\n"


def test_lines_with_times_and_without_tricks() -> None:
    kept = Kept()
    Lines(kept, times=True).show(final("two\x1b[2J\nlines", 0, 61.0, 3661.25))
    assert kept.text == "[01:01.0 - 1:01:01.2] two [2J lines\n"


def test_json_is_what_the_server_tells() -> None:
    kept = Kept()
    for event in SPOKEN:
        JsonLines(kept).show(event)
    told = [json.loads(line) for line in kept.text.splitlines()]
    assert [one["type"] for one in told] == ["speech_started", "partial", "partial", "final", "final", "warning"]


def screen(width: int = 20) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=True, width=width, color_system=None), out


def test_partials_are_painted_over_and_finals_stay() -> None:
    console, out = screen()
    with painted(console) as shown:
        for event in SPOKEN[:4]:
            shown.show(event)
    text = out.getvalue()
    assert text.index("hello wor") < text.index("hello world\n") and text.count("hello world\n") == 1
    assert "\x1b[2K" in text


def test_finals_are_kept_back_where_they_come_out_elsewhere() -> None:
    console, out = screen()
    with painted(console, scroll=False) as shown:
        for event in SPOKEN[:4]:
            shown.show(event)
    assert "hello wor" in out.getvalue() and "hello world" not in out.getvalue()


def test_a_long_partial_shows_its_end_on_one_line() -> None:
    console, out = screen(20)
    with painted(console) as shown:
        shown.show(LivePartial(0, 0.0, 1.0, "one two three four five", "six seven"))
    assert "… five six seven" in out.getvalue() and "one" not in out.getvalue()


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("short", 10, "short"),
        ("one two three", 9, "… three"),
        ("unbreakable", 5, "…able"),
        ("日本語です", 7, "…語です"),
        ("", 5, ""),
    ],
)
def test_the_end_of_a_text(text: str, columns: int, shown: str) -> None:
    assert last_columns(text, columns) == shown and cell_len(shown) <= columns


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "00:00.0"), (59.96, "01:00.0"), (3599.99, "1:00:00.0"), (-1, "00:00.0")]
)
def test_times(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_a_notice_does_not_break_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    console, _ = screen()
    with painted(console) as shown:
        shown.show(SPOKEN[-1])
    assert capsys.readouterr().err == "note: take note\n"


def test_finals_become_subtitles(tmp_path: Path) -> None:
    path = tmp_path / "talk.srt"
    with filed(path, "srt") as file:
        for event in [*SPOKEN, final("good bye", 2, 3.0, 4.0)]:
            file.show(event)
        assert not path.exists()
    assert path.read_text() == (
        "1\n00:00:01,000 --> 00:00:02,500\nhello world\n\n2\n00:00:03,000 --> 00:00:04,000\ngood bye\n\n"
    )


def test_which_screen_suits_a_terminal() -> None:
    with live_screen.shown(as_json=True, times=False, is_terminal=True) as json_lines:
        assert isinstance(json_lines, JsonLines)
    with live_screen.shown(as_json=False, times=False, is_terminal=False) as lines:
        assert isinstance(lines, Lines)
