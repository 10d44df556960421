"""Words and groups of phonemes brought together in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from talkie.engines.tts.word_groups import spans_of_words


def never(word: str) -> int:
    raise AssertionError(word)


def test_as_many_words_as_groups_are_paired_without_measuring() -> None:
    assert spans_of_words(["one", "two"], [3, 2], never) == [(0, 3), (3, 5)]


def test_words_said_together_divide_their_phonemes() -> None:
    # "end of the road", where "of the" is one group
    assert spans_of_words(["end", "of", "the", "road"], [3, 4, 4], {"end": 3, "of": 2, "the": 2, "road": 4}.get) == [
        (0, 3),
        (3, 5),
        (5, 7),
        (7, 11),
    ]


def test_a_number_has_all_of_its_groups() -> None:
    lengths = {"took": 3, "3.50": 14, "minutes": 6}
    assert spans_of_words(["took", "3.50", "minutes"], [3, 3, 5, 3, 3, 6], lengths.get) == [(0, 3), (3, 17), (17, 23)]


def test_both_at_once() -> None:
    lengths = {"of": 2, "the": 2, "42": 9, "men": 3}
    assert spans_of_words(["of", "the", "42", "men"], [4, 5, 4, 3], lengths.get) == [(0, 2), (2, 4), (4, 13), (13, 16)]


def test_what_cannot_be_brought_together_has_no_spans() -> None:
    assert spans_of_words(["a"] * 100, [3], len) == []
    assert spans_of_words([], [3, 4], len) == []
    assert spans_of_words(["a", "b"], [], len) == []
    assert spans_of_words(["a"] * 3000, [1] * 2999, len) == [], "and nothing is computed for hours"


@given(st.lists(st.integers(1, 12), max_size=20), st.lists(st.integers(1, 12), max_size=20))
def test_spans_follow_each_other_and_cover_everything(lengths: list[int], groups: list[int]) -> None:
    words = [str(number) for number in range(len(lengths))]
    spans = spans_of_words(words, groups, lambda word: lengths[int(word)])
    assert len(spans) in (0, len(words))
    edge = 0
    for start, end in spans:
        assert start == edge
        assert start <= end
        edge = end
    assert not spans or edge == sum(groups)
