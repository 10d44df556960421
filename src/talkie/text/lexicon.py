"""The user's own pronunciations: whole words and phrases, respelled or in IPA, for one language or for all.

`Lexicon.apply` puts them into a text and keeps the offsets of the original. Knows nothing of files (`lexicon_file.py`
reads them) or of engines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from talkie.text.parts import Say

ALL = "all"
"""The section that holds for every language."""

_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u200c\u200d"
_ALONE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_ALONE}]|(?:(?![{_ALONE}])[\w{_MARKS}])+|[^\w\s]")
"""A word; a single character where words are written without spaces; a single sign."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`word` is said as `spoken`, or as `phonemes` (IPA) where it has them.

    A word in small letters stands for every way to write it, one with a capital only for itself.
    """

    word: str
    spoken: str | None = None
    phonemes: str | None = None

    def fits(self, text: str) -> bool:
        return " ".join(text.split()) == self.word or (self.word.islower() and _folded(text) == self.word)


_Index = dict[str, list[tuple[int, Entry]]]


@dataclass(frozen=True)
class Lexicon:
    """Entries by section: `all`, a language, or a longer tag (`en-gb`), which goes before its language.

    `fingerprint` changes with the content, for whoever keeps what was spoken.
    """

    sections: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    fingerprint: str = ""
    _indexes: dict[str, _Index] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._indexes.update({name: _index(entries) for name, entries in self.sections.items()})

    def __len__(self) -> int:
        return sum(len(entries) for entries in self.sections.values())

    def apply(self, say: Say, language: str = "") -> tuple[Say, ...]:
        """The stretch with its words replaced, the longest entry first; one with its own way of being said stays."""
        tag = (say.lang or language).lower()
        indexes = [self._indexes[name] for name in (tag, tag.partition("-")[0], ALL) if name in self._indexes]
        if say.whole or not indexes:
            return (say,)
        tokens = list(_TOKEN.finditer(say.text))
        says: list[Say] = []
        done, at = 0, 0
        while at < len(tokens):
            count, entry = _longest(say.text, tokens, at, indexes)
            if entry is None:
                at += 1
                continue
            start, end = tokens[at].start(), tokens[at + count - 1].end()
            if start > done:
                says.append(say.cut(say.start + done, say.start + start))
            found = say.cut(say.start + start, say.start + end)
            says.append(replace(found, spoken=entry.spoken, phonemes=entry.phonemes))
            done, at = end, at + count
        if done < len(say.text):
            says.append(say.cut(say.start + done, say.start + len(say.text)))
        return tuple(says)


def _longest(
    text: str, tokens: Sequence[re.Match[str]], at: int, indexes: Sequence[_Index]
) -> tuple[int, Entry | None]:
    """The entry with the most words that fits at this place, and how many; of equals the more special one."""
    best: tuple[int, Entry | None] = (0, None)
    for index in indexes:
        for count, entry in index.get(_folded(tokens[at][0]), ()):
            last = at + count - 1
            if count <= best[0] or last >= len(tokens):
                continue
            if entry.fits(text[tokens[at].start() : tokens[last].end()]):
                best = count, entry
                break
    return best


def _index(entries: Sequence[Entry]) -> _Index:
    """By the first word; those of most words first, and of equals the ones that look at capitals."""
    index: _Index = {}
    for entry in entries:
        tokens = _TOKEN.findall(entry.word)
        index.setdefault(_folded(tokens[0]), []).append((len(tokens), entry))
    for candidates in index.values():
        candidates.sort(key=lambda counted: (-counted[0], counted[1].word.islower()))
    return index


def _folded(text: str) -> str:
    return " ".join(text.lower().split())


def has_words(text: str) -> bool:
    return _TOKEN.search(text) is not None
