"""Lines of slow engines are cut at clauses, so that nobody waits for the next; those of quick ones are not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.pipeline.speak_pace import SHORTEST_CHARACTERS, Pace, cut
from talkie.text.lines import Line
from talkie.text.parts import Say

TEXT = "When it had stopped raining in the evening, we went down to the river, and there we sat until it was dark."
SENTENCE = Line((Say(TEXT, 10),), 0.4)


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def texts(pace: Pace, line: Line = SENTENCE) -> list[str]:
    return [part.text for part in pace.parts(line)]


def test_nothing_is_cut_before_anything_is_known() -> None:
    assert texts(Pace()) == [TEXT]


@pytest.mark.parametrize("late_s", [0, 5, 1000])
def test_a_quick_engine_is_never_asked_to_cut(late_s: float) -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.made(30, 2.0, 0.01)
    clock.now_s += late_s
    assert texts(pace) == [TEXT]


def test_a_slow_engine_says_what_fits() -> None:
    """Two seconds are to be heard; at 0.03 s a character, 46 of them can be made meanwhile, with room to spare."""
    pace = Pace(Clock())
    pace.made(30, 2.0, 0.9)
    assert pace.characters == pytest.approx(46.7, abs=0.1)
    first, *_ = pace.parts(SENTENCE)
    assert first.text == "When it had stopped raining in the evening,"
    assert first.pause_s > 0
    assert first.clause


def test_each_part_is_cut_by_what_is_known_then() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.made(30, 2.0, 0.9)
    parts = pace.parts(SENTENCE)
    assert next(parts).text == "When it had stopped raining in the evening,"
    pace.made(43, 3.0, 1.2)
    rest = list(parts)
    assert [part.text for part in rest] == ["we went down to the river, and there we sat until it was dark."]
    assert rest[-1].pause_s == SENTENCE.pause_s
    assert not rest[-1].clause
    assert rest[-1].start == 10 + TEXT.index("we went")


def test_a_listener_who_lets_us_wait_has_enough() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.made(30, 2.0, 0.9)
    clock.now_s += 60
    assert len(texts(pace)) > 1
    pace.rested(15.0)
    assert texts(pace) == [TEXT]


def test_an_engine_slower_than_speech_gets_the_shortest_clauses() -> None:
    pace = Pace(Clock())
    pace.made(30, 2.0, 10.0)
    assert texts(pace) == [
        "When it had stopped raining in the evening,",
        "we went down to the river,",
        "and there we sat until it was dark.",
    ]


def test_a_sentence_without_a_clause_stays_whole() -> None:
    line = Line((Say("there we sat " * 20, 0),), 0.4)
    assert cut(line, 10) == (line, None)


def test_what_is_said_whole_is_not_cut() -> None:
    says = (
        Say("This is a long beginning of ", 0),
        Say("one, two, three", 28, spoken="1 2 3"),
        Say(" and of an end " * 3, 43),
    )
    assert cut(Line(says, 0.4), 10)[1] is None


_WORDS = st.lists(st.sampled_from(["river,", "evening", "and", "dark;", "we", "—"]), min_size=1, max_size=40)


@given(_WORDS, st.floats(0, 300))
def test_no_letter_is_lost(words: list[str], characters: float) -> None:
    line, parts = Line((Say(" ".join(words), 7),), 0.4), []
    rest: Line | None = line
    while rest is not None:
        part, rest = cut(rest, characters)
        parts.append(part)
    assert " ".join(part.text for part in parts) == line.text
    assert all(one.start + len(one.text) + 1 == two.start for one, two in pairwise(parts))
    assert all(len(part.text) >= SHORTEST_CHARACTERS for part in parts) or len(parts) == 1
