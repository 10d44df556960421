"""Hallucination filters: what a decoder wrote though nobody said it.

Each filter is a small pure function from a segment and its surroundings to the stable reason for dropping it, or None.
They are made so that honest speech survives: a phrase that people do say is dropped only in silence or when the decoder
itself was in doubt, and three times "no" is three times "no". What is dropped is never lost without a trace: whoever
applies them keeps the segment with its reason. Knows nothing of audio or engines.

Thresholds of doubt are those of openai/whisper `transcribe` where it has one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from talkie.text.compression import compression_ratio
from talkie.text.phrases import CREDITS, CREDITS_ANYWHERE, PHRASES
from talkie.text.scripts import allowed, letters_by_script
from talkie.types import Segment, Span

MAX_CHARS = 4000
"""As much of a segment's text as is looked at; a window of 30 s never holds more."""
LOOP_REPEATS = {1: 10, 2: 6}
"""Words in the repeated group -> repeats that make a loop; longer groups need `LONG_LOOP_REPEATS`."""
LONG_LOOP_REPEATS = 5
LOOP_SHARE = 0.6
MAX_LOOP_WORDS = 12
MAX_LOOP_CHARS = 12
LOOP_CHARS = 30
"""A text without spaces is a loop when a group of characters fills so many in a row."""
COMPRESSION_RATIO = 2.4
LOOP_LOGPROB = -1.0
DOUBT_LOGPROB = -0.7
DOUBT_NO_SPEECH = 0.5
LEAST_ALPHANUMERIC = 0.25
FOREIGN_SHARE = 0.5
SPEECH_MARGIN_S = 0.3
"""Whisper's times are rounded to 20 ms and often early or late by more; this much is forgiven."""
LEAST_SPEECH_S = 0.2
"""Less speech than this holds no phrase."""


@dataclass(frozen=True, slots=True)
class FilterContext:
    """`language` is an ISO 639-1 code, empty when unknown; `speech` None when nobody looked for it."""

    language: str = ""
    speech: tuple[Span, ...] | None = None


Filter: TypeAlias = Callable[[Segment, FilterContext], "str | None"]


def apply(segment: Segment, context: FilterContext) -> str | None:
    """The first filter's reason to drop the segment, or None: keep it."""
    return next((reason for reason in (look(segment, context) for look in FILTERS) if reason), None)


def low_alphanumeric(segment: Segment, context: FilterContext) -> str | None:
    """Dots, notes and dashes: hardly a letter or a digit among the signs."""
    signs = [character for character in segment.text[:MAX_CHARS] if not character.isspace()]
    share = sum(_is_alphanumeric(character) for character in signs) / max(len(signs), 1)
    return "low_alphanumeric" if signs and share < LEAST_ALPHANUMERIC else None


def non_speech(segment: Segment, context: FilterContext) -> str | None:
    """Text where voice activity found nobody speaking, some way around included."""
    if context.speech is None or not segment.text.strip():
        return None
    return None if _speech_s(segment, context.speech, SPEECH_MARGIN_S) > 0 else "non_speech"


def known_phrase(segment: Segment, context: FilterContext) -> str | None:
    """The thanks and credits that Whisper learned from subtitles, once or over and over; only where in doubt."""
    key = phrase_key(segment.text[:MAX_CHARS])
    if not key or not _in_doubt(segment, context):
        return None
    phrases, credits = _keys(context.language)
    known = any(_repeats(key, phrase) for phrase in phrases) or key.startswith(credits)
    return "known_phrase" if known or any(credit in key for credit in CREDITS_ANYWHERE) else None


def repetition(segment: Segment, context: FilterContext) -> str | None:
    """A decoder caught in a loop: one group of words, or of characters, again and again.

    The text must also compress as loops do. A text that only compresses well (a list of digits) is dropped when its
    decoder was in doubt as well.
    """
    text = segment.text[:MAX_CHARS]
    if compression_ratio(text) <= COMPRESSION_RATIO:
        return None
    if _loops(text.casefold().split()) or _loops_without_spaces(text):
        return "repetition"
    return "compression" if segment.avg_logprob < LOOP_LOGPROB else None


def foreign_script(segment: Segment, context: FilterContext) -> str | None:
    """Most letters belong to a script that the language is not written in."""
    if not context.language:
        return None
    letters = letters_by_script(segment.text[:MAX_CHARS])
    fitting = sum(letters[script] for script in allowed(context.language))
    foreign = letters.total() - fitting
    return "foreign_script" if foreign > 1 and foreign > FOREIGN_SHARE * letters.total() else None


FILTERS: tuple[Filter, ...] = (low_alphanumeric, non_speech, known_phrase, repetition, foreign_script)
"""In the order they are asked; reasons are `low_alphanumeric non_speech known_phrase repetition compression
foreign_script`."""


def phrase_key(text: str) -> str:
    """Letters and digits alone, folded: `Thanks for watching!` and `thanks, for watching` are one."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if _is_alphanumeric(character))


@lru_cache(maxsize=128)
def _keys(language: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The phrases and the credits of a language and of English, folded."""
    languages = [name for name in dict.fromkeys((language, "en")) if name in PHRASES]
    phrases = tuple(phrase_key(phrase) for name in languages for phrase in PHRASES[name])
    credits = tuple(phrase_key(credit) for name in languages for credit in CREDITS.get(name, ()))
    return phrases, credits


def _is_alphanumeric(character: str) -> bool:
    """Letters, digits, and the marks that some scripts write vowels with."""
    return unicodedata.category(character)[0] in "LNM"


def _in_doubt(segment: Segment, context: FilterContext) -> bool:
    """Was hardly anything said, or was the decoder unsure? Its figures mean that only where it writes tokens: other
    engines have a scale of their own, and never saw subtitles."""
    if context.speech is not None and _speech_s(segment, context.speech) < LEAST_SPEECH_S:
        return True
    unsure = segment.no_speech_prob > DOUBT_NO_SPEECH or segment.avg_logprob < DOUBT_LOGPROB
    return unsure and bool(segment.tokens)


def _speech_s(segment: Segment, speech: tuple[Span, ...], margin_s: float = 0.0) -> float:
    """Seconds of speech within the segment, `margin_s` added to both of its ends."""
    start_s, end_s = segment.start_s - margin_s, segment.end_s + margin_s
    return sum(max(0.0, min(end_s, span.end_s) - max(start_s, span.start_s)) for span in speech)


def _repeats(text: str, phrase: str) -> bool:
    count, rest = divmod(len(text), len(phrase))
    return rest == 0 and text == phrase * count


def _loops(words: list[str]) -> bool:
    words = [phrase_key(word) or word for word in words]
    for size in range(1, min(MAX_LOOP_WORDS, len(words) // LONG_LOOP_REPEATS) + 1):
        needed = LOOP_REPEATS.get(size, LONG_LOOP_REPEATS)
        run = _longest_run(words, size)
        if run >= needed * size and run >= LOOP_SHARE * len(words):
            return True
    return False


def _loops_without_spaces(text: str) -> bool:
    key = phrase_key(text)
    words = max(1, len(text.split()))
    if len(key) < LOOP_CHARS or len(key) / words < MAX_LOOP_CHARS:  # written with spaces: judged by its words
        return False
    runs = (_longest_run(key, size) for size in range(1, MAX_LOOP_CHARS + 1))
    return any(run >= max(LOOP_CHARS, LOOP_SHARE * len(key)) for run in runs)


def _longest_run(items: list[str] | str, size: int) -> int:
    """The length of the longest stretch in which every item equals the one `size` before it."""
    longest = run = 0
    for item, before in zip(items[size:], items, strict=False):
        run = run + 1 if item == before else 0
        longest = max(longest, run)
    return longest + size if longest else 0
