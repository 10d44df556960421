"""Number words as digits, so that a word error rate does not count how a number is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.text.numerals import numbers_to_digits, ordinal_digits

SPOKEN = {
    "five five": "5 5",
    "zero zero seven": "0 0 7",
    "twenty one": "21",
    "one hundred and five": "105",
    "a hundred": "a 100",
    "five hundred thousand two hundred thirty one": "500231",
    "one million two thousand and three": "1002003",
    "ten thousand": "10000",
    "two thousand and one": "2001",
    "nineteen eighty four": "1984",
    "twenty twenty five": "2025",
    "twenty one hundred": "2100",
    "three point one four": "3.14",
    "twenty first": "21st",
    "two second": "2 2nd",
    "the hundred and first": "the 101st",
    "ninety ninth": "99th",
    "five and six": "5 and 6",
    "two million and counting": "2000000 and counting",
    "one point": "1 point",
    "and point hundred": "and point 100",
    "ten of clubs": "10 of clubs",
    "thousand thousand": "1000 1000",
}


@pytest.mark.parametrize(("words", "digits"), SPOKEN.items())
def test_as_it_is_spoken(words: str, digits: str) -> None:
    assert " ".join(numbers_to_digits(words.split())) == digits


ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
OTHERS = ("hundred", "thousand", "million", "and", "point", "first", "fifth", "twentieth", "cat")


def spelled(number: int) -> str:
    """A number in words, by the plainest rule there is."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f" {ONES[number % 10]}" if number % 10 else "")
    for size, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = f" {spelled(number % size)}" if number % size else ""
            return f"{spelled(number // size)} {name}{rest}"
    raise AssertionError


@given(st.integers(0, 10**12 - 1))
def test_any_number_in_words_is_its_digits(number: int) -> None:
    assert list(numbers_to_digits(spelled(number).split())) == [str(number)]


WORDS = st.sampled_from([*ONES, *TENS, *OTHERS])


@given(st.lists(WORDS, max_size=12))
def test_any_run_of_words_ends_and_loses_no_other_word(words: list[str]) -> None:
    out = list(numbers_to_digits(words))
    assert out.count("cat") == words.count("cat")
    assert list(numbers_to_digits(out)) == out
    assert bool(out) == bool(words)


def test_ordinals() -> None:
    numbers = (1, 2, 3, 4, 11, 12, 13, 21, 101, 111)
    assert [ordinal_digits(n) for n in numbers] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "101st", "111th"]
    )
