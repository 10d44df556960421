"""What espeak-ng is given for a text with stretches in IPA, and which stretch of the text an event of it is about.

Pure. Phonemes stand between `[[` and `]]`; brackets of the text itself must not be taken for them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

IpaSpan: TypeAlias = Sequence[int | str]
"""Where the stretch begins and ends in the text, and its IPA."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    start: int  # in what the library is given
    source: int  # in the text
    whole: str  # the text that it stands for; empty: letters as they are


@dataclass(frozen=True, slots=True)
class Composed:
    """`text` is for the library; `source` is the text it was made of."""

    text: str
    source: str
    stretches: tuple[_Stretch, ...]
    has_phonemes: bool

    def name(self, position: int, length: int) -> tuple[int, str]:
        """Where an event's word begins in the source, and the word; that of a stretch in IPA is the whole stretch."""
        at = bisect_right([stretch.start for stretch in self.stretches], position) - 1
        stretch = self.stretches[max(at, 0)]
        if stretch.whole:
            return stretch.source, stretch.whole
        begin = stretch.source + position - stretch.start
        return begin, self.source[begin : begin + length]


def compose(text: str, spans: Sequence[IpaSpan], in_mnemonics: Callable[[str], str]) -> Composed:
    """`spans` are in order and apart. Raises what `in_mnemonics` does."""
    parts, stretches, at, length = list[str](), list[_Stretch](), 0, 0
    plain = text.replace("[[", "  ") if spans else text
    for start, end, ipa in spans:
        start, end = int(start), int(end)
        for said, stretch in (
            (plain[at:start], _Stretch(length, at, "")),
            (in_mnemonics(str(ipa)), _Stretch(length + start - at, start, text[start:end])),
        ):
            parts.append(said)
            stretches.append(stretch)
            length += len(said)
        at = end
    return Composed("".join([*parts, plain[at:]]), text, (*stretches, _Stretch(length, at, "")), bool(spans))
