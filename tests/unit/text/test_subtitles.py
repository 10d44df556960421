from __future__ import annotations

import html
import math
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.text.cues import Layout, clean
from talkie.text.subtitles import WRITERS, timestamp, to_srt, to_tsv, to_vtt
from talkie.types import Segment, Word

TIMES = r"(\d{2,}):(\d\d):(\d\d)[,.](\d{3})"
CUE = re.compile(rf"(?:(\d+)\n)?{TIMES} --> {TIMES}\n((?:.+\n)+)\n")
SEGMENTS = (
    Segment(" Hello,\nyou  two.", 0.0, 1.5),
    Segment("", 1.5, 2.0),
    Segment("R&D: a --> b <i>", 359_999.5, 360_001),
)


def read(text: str) -> list[tuple[int, int, str]]:
    """Start and end in milliseconds and the text of every cue, where the whole file is made of cues."""
    cues = list(CUE.finditer(text))
    assert "".join(cue.group() for cue in cues) == text
    found = []
    for cue in cues:
        hours, minutes, seconds, millis, *end = (int(part) for part in cue.groups()[1:9])
        start = ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis
        found.append((start, ((end[0] * 60 + end[1]) * 60 + end[2]) * 1000 + end[3], cue.groups()[9].strip("\n")))
    return found


def test_srt() -> None:
    assert to_srt(SEGMENTS) == (
        "1\n00:00:00,000 --> 00:00:01,500\nHello, you two.\n\n2\n99:59:59,500 --> 100:00:01,000\nR&D: a -> b <i>\n\n"
    )


def test_vtt() -> None:
    assert to_vtt(SEGMENTS) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello, you two.\n\n"
        "99:59:59.500 --> 100:00:01.000\nR&amp;D: a --&gt; b &lt;i&gt;\n\n"
    )


def test_tsv() -> None:
    assert to_tsv(SEGMENTS) == "start\tend\ttext\n0\t1500\tHello, you two.\n359999500\t360001000\tR&D: a --> b <i>\n"


def test_nothing_said_is_an_empty_file_of_its_kind() -> None:
    assert (to_srt([]), to_vtt([]), to_tsv([])) == ("", "WEBVTT\n\n", "start\tend\ttext\n")


def test_times_that_cannot_be_are_mended() -> None:
    broken = [
        Segment("one", -1, -2),
        Segment("two", math.nan, math.inf),
        Segment("three", 5, 5),
        Segment("four", 4, 4.5),
    ]
    found = read(to_srt(broken).replace(",", "."))
    assert [(start, end) for start, end, _ in found] == [(0, 1), (0, 1), (5000, 5001), (5000, 5001)]
    assert to_tsv([Segment("x", 5, 5)]).endswith("5000\t5000\tx\n")


def test_hours_grow_past_two_digits() -> None:
    assert timestamp(123 * 3_600_000 + 4, ",") == "123:00:00,004"


def test_an_arrow_of_any_length_is_no_arrow_in_srt() -> None:
    assert read(to_srt([Segment("a ----> b", 0, 1)]).replace(",", ".")) == [(0, 1000, "a -> b")]


def test_a_layout_makes_cues_of_two_lines() -> None:
    words = tuple(Word(f"word{index}", index * 0.3, index * 0.3 + 0.3) for index in range(40))
    segment = Segment(" ".join(word.text for word in words), 0, 12, words)
    found = read(to_srt([segment], Layout()).replace(",", "."))
    assert len(found) > 3 and all(text.count("\n") <= 1 for _, _, text in found)


segments = st.lists(
    st.builds(
        Segment,
        text=st.text() | st.text(st.sampled_from("a-> \n<&\r\u2028")),
        start_s=st.floats(-10, 1e6) | st.floats(),
        end_s=st.floats(-10, 1e6) | st.floats(),
    ),
    max_size=8,
)


@given(segments)
def test_what_is_written_is_read_back(given_segments: list[Segment]) -> None:
    texts = [clean(segment.text) for segment in given_segments if clean(segment.text)]
    srt = read(to_srt(given_segments))
    assert [text for _, _, text in srt] == [re.sub("-{2,}>", "->", text) for text in texts]
    vtt = to_vtt(given_segments)
    assert vtt.startswith("WEBVTT\n\n")
    found = read(vtt.removeprefix("WEBVTT\n\n"))
    assert [html.unescape(text) if "&" in text else text for _, _, text in found] == [_as_read(text) for text in texts]
    starts = [start for start, _, _ in found]
    assert starts == sorted(starts) and all(start < end for start, end, _ in found)
    assert [start for start, _, _ in srt] == starts
    rows = [line.split("\t") for line in to_tsv(given_segments).split("\n")[1:-1]]
    assert [(int(start), text) for start, _, text in rows] == list(zip(starts, texts, strict=True))
    assert all(int(start) <= int(end) for start, end, _ in rows)


def _as_read(text: str) -> str:
    """`html.unescape` reads more names than WebVTT has, so the text is escaped and read in the same way."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return html.unescape(escaped) if "&" in escaped else escaped


@pytest.mark.parametrize(("name", "whole"), [("srt", to_srt), ("vtt", to_vtt), ("tsv", to_tsv)])
@given(given_segments=segments)
def test_piece_by_piece_is_the_same_as_at_once(
    name: str, whole: Callable[[list[Segment]], str], given_segments: list[Segment]
) -> None:
    writer = WRITERS[name]()
    assert writer.start() + "".join(writer.feed(segment) for segment in given_segments) == whole(given_segments)
