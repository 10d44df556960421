"""Word error rates against the definition, the slow way."""

from __future__ import annotations

import tracemalloc
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.text.wer import Wer, align_words, word_error_rate

WORDS = st.lists(st.sampled_from("abc"), max_size=7)


def distance(one: list[str], other: list[str]) -> int:
    """Levenshtein by its recursive definition."""

    @cache
    def d(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(d(i - 1, j) + 1, d(i, j - 1) + 1, d(i - 1, j - 1) + (one[i - 1] != other[j - 1]))

    return d(len(one), len(other))


@given(WORDS, WORDS)
def test_errors_are_the_edit_distance_and_the_counts_agree(reference: list[str], hypothesis: list[str]) -> None:
    wer = align_words(reference, hypothesis)
    assert wer.errors == distance(reference, hypothesis)
    assert wer.words == len(reference)
    assert min(wer.substitutions, wer.deletions, wer.insertions) >= 0
    assert wer.deletions - wer.insertions == len(reference) - len(hypothesis)


@given(WORDS, WORDS)
def test_backwards_what_was_missing_is_extra(one: list[str], other: list[str]) -> None:
    there, back = align_words(one, other), align_words(other, one)
    assert (there.substitutions, there.deletions, there.insertions) == (
        back.substitutions,
        back.insertions,
        back.deletions,
    )


def test_counts() -> None:
    assert word_error_rate("a b c d", "a x c d") == Wer(1, 0, 0, 4)
    assert word_error_rate("a b c d", "a c d") == Wer(0, 1, 0, 4)
    assert word_error_rate("a b c d", "a b c d e f") == Wer(0, 0, 2, 4)


def test_the_rate_and_its_sum() -> None:
    total = word_error_rate("one two", "1 2") + word_error_rate("a b", "a")
    assert total.rate == pytest.approx(0.25)
    assert word_error_rate("a", "x y z").rate == 3.0
    assert word_error_rate("", "").rate == 0.0
    assert word_error_rate("", "thank you").rate == 2.0


def test_japanese_is_compared_by_characters() -> None:
    assert word_error_rate("東京です", "東京だ", "ja").words == 4


def test_memory_does_not_grow_with_the_product() -> None:
    words = [str(n % 50) for n in range(3000)]
    tracemalloc.start()
    wer = align_words(words, words[5:])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert wer.errors == 5
    assert peak < 2_000_000  # the whole table would be 72 MB
