"""English number words to digits: `twenty one` and `21` are the same word to a word error rate.

A run of number words is read as a sum the way it is spoken (`one hundred and five` is 105); two-digit pairs are read
as a year (`nineteen eighty four` is 1984); single digits in a row stay apart (`five five` is `5 5`), because that
is how they were said. Knows nothing of punctuation: give it lower-case words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

# fmt: off
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_LOW_ORDINALS = (
    "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth",
)
# fmt: on
_ROUND = {word: 10 * i for i, word in enumerate(_TENS, start=2)}
_SMALL = {word: value for value, word in enumerate(_ONES)} | _ROUND
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ORDINALS = {word: value for value, word in enumerate(_LOW_ORDINALS)} | {
    word.removesuffix("y") + "ieth": value for word, value in _ROUND.items()
}


def numbers_to_digits(words: Iterable[str]) -> Iterator[str]:
    """The same words, each run of number words replaced by digits."""
    run: list[str] = []
    for word in words:
        if word in _SMALL or word in _SCALES or word == "hundred" or (word in ("and", "point") and run):
            run.append(word)
            continue
        if word in _ORDINALS and run:
            yield from _ordinal(run, word)
        else:
            yield from _flush(run)
            yield ordinal_digits(_ORDINALS[word]) if word in _ORDINALS else word
        run = []
    yield from _flush(run)


def ordinal_digits(value: int) -> str:
    """21 becomes `21st`."""
    suffix = "th" if 10 <= value % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{suffix}"


def _ordinal(run: Sequence[str], word: str) -> Iterator[str]:
    """`twenty` + `first` is 21st, and `two` + `second` is two words."""
    if run[-1] in _TENS and _ORDINALS[word] < 10:
        *before, last = _flush([*run, _ONES[_ORDINALS[word]]])
    elif run[-1] in (*_SCALES, "hundred", "and") and "point" not in run:
        *before, last = _flush([*run, _cardinal(word)])
    else:
        *before, last = (*_flush(run), str(_ORDINALS[word]))
    yield from before
    yield ordinal_digits(int(last)) if last.isdigit() else last


def _cardinal(ordinal: str) -> str:
    value = _ORDINALS[ordinal]
    return _ONES[value] if value < 20 else _TENS[value // 10 - 2]


def _flush(run: Sequence[str]) -> Iterator[str]:
    """The numbers in a run of number words, as digits; a trailing `and` or `point` was an ordinary word."""
    tail: list[str] = []
    words = list(run)
    while words and words[-1] in ("and", "point"):
        tail.insert(0, words.pop())
    at = 0
    while at < len(words):
        if words[at] in ("and", "point"):
            yield words[at]
            at += 1
            continue
        value, after = _read(words, at)
        digits, after = _fraction(words, after)
        yield f"{value}{digits}"
        at = after
    yield from tail


def _read(words: Sequence[str], at: int) -> tuple[int, int]:
    """One number from `words[at]` on, and where it ends."""
    year = _year(words, at)
    if year is not None:
        return year, at + _width(words, at) + _width(words, at + _width(words, at))
    total, group, start = 0, 0, at
    limit = 10**15  # each scale must be smaller than the one before
    while at < len(words):
        word = words[at]
        if word == "hundred" and (at == start or 0 < group < 100):
            group, at = max(group, 1) * 100, at + 1
        elif word in _SCALES and _SCALES[word] < limit and (group or at == start):
            total, group, limit, at = total + max(group, 1) * _SCALES[word], 0, _SCALES[word], at + 1
        elif word == "and" and at > start and words[at - 1] in (*_SCALES, "hundred") and words[at + 1] in _SMALL:
            at += 1
        elif word in _SMALL and _fits(group, _SMALL[word], fresh=at == start or (group == 0 and total > 0)):
            group, at = group + _SMALL[word], at + 1
        else:
            break
    return total + group, max(at, start + 1)


def _fits(group: int, value: int, *, fresh: bool) -> bool:
    """May `value` be added to what was said: anything at first, tens and ones after hundreds, ones after tens."""
    if fresh:
        return True
    if value == 0 or group == 0:
        return False
    return value < 100 if group % 100 == 0 else value < 10 and group % 10 == 0 and group % 100 >= 20


def _width(words: Sequence[str], at: int) -> int:
    """How many words the two-digit number at `at` takes: 0 when there is none."""
    if at >= len(words) or _SMALL.get(words[at], 0) < 10:
        return 0
    return 2 if words[at] in _TENS and at + 1 < len(words) and 1 <= _SMALL.get(words[at + 1], 0) <= 9 else 1


def _year(words: Sequence[str], at: int) -> int | None:
    """`nineteen eighty four`: two two-digit numbers in a row and nothing larger after them."""
    first = _width(words, at)
    second = _width(words, at + first) if first else 0
    after = at + first + second
    if not second or (after < len(words) and (words[after] == "hundred" or words[after] in _SCALES)):
        return None
    high, low = (sum(_SMALL[word] for word in words[i:j]) for i, j in ((at, at + first), (at + first, after)))
    return high * 100 + low


def _fraction(words: Sequence[str], at: int) -> tuple[str, int]:
    """`point one four` after a number is `.14`."""
    if at + 1 >= len(words) or words[at] != "point" or not 0 <= _SMALL.get(words[at + 1], 99) <= 9:
        return "", at
    digits = ""
    at += 1
    while at < len(words) and 0 <= _SMALL.get(words[at], 99) <= 9:
        digits, at = digits + str(_SMALL[words[at]]), at + 1
    return "." + digits, at
