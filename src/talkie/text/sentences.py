"""A text cut into sentences while it is still coming in, so that speech can begin before the text ends.

Where it cuts depends on the text alone and not on the pieces it came in. Knows nothing of markup, voices or sound;
what ends a sentence is known to `sentence_ends.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from talkie.text.graphemes import safe_cut
from talkie.text.sentence_ends import (
    CLOSING,
    LINE_ENDS,
    STOPS,
    STRONG,
    Ahead,
    End,
    NeedMore,
    SentenceEnds,
    is_cjk,
)

MAX_CHARACTERS = 300
CLAUSE_S, SENTENCE_S, LINE_S = 0.2, 0.4, 0.6
"""Silence after a clause, a sentence, and the last one of a line, at the voice's own speed."""

FIRST_LETTERS, REST_CHARACTERS = 24, 24
"""A first clause is long enough to be said alone, and what follows it long enough to be worth the cut."""
_CJK_LETTERS = 3  # a character of Chinese, Japanese or Korean takes about as long to say as three letters

_CJK_CLAUSES = "、，；：،؛"  # noqa: RUF001
_CLAUSE = re.compile(rf"[,;:—–{_CJK_CLAUSES}]")  # noqa: RUF001
_STOP = re.compile(rf"[{re.escape(STOPS)}{STRONG}{LINE_ENDS}]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text` is the input from `start` on, without white space around it. `pause_s` is the silence that follows.

    `clause`: the sentence goes on in the next one.
    """

    text: str
    start: int
    pause_s: float
    clause: bool = False


@dataclass(frozen=True, slots=True)
class _Cut:
    at: int
    pause_s: float
    clause: bool = False


class SentenceSplitter:
    """Fed with a text in pieces of any size; holds a sentence or two. `max_chars` bounds what it gives.

    `first_clause`: the first piece may be a clause, so that the first sound leaves early.
    """

    def __init__(self, language: str = "", max_chars: int = MAX_CHARACTERS, first_clause: bool = True) -> None:
        if max_chars < 1:
            raise ValueError("max_chars must be at least 1")
        self._ends = SentenceEnds(language)
        self._max = max_chars
        self._first = first_clause
        self._text = ""
        self._offset = 0  # of `_text` in the whole
        self._column = 0  # of `_text` in its line
        self._start = 0  # of the sentence that is being read, in `_text`
        self._scanned = 0  # no sentence ends before
        self._clauses = 0  # no clause ends before
        self._whole = False

    def feed(self, text: str) -> list[Sentence]:
        """The sentences that are whole now."""
        self._text += text
        return self._take()

    def finish(self) -> list[Sentence]:
        """What is left. The splitter may be fed again, and its offsets go on."""
        self._whole = True
        found = self._take()
        self._whole = False
        return found

    def _take(self) -> list[Sentence]:
        found: list[Sentence] = []
        ahead = Ahead(self._text, self._whole, self._column)
        try:
            while (cut := self._next_cut(ahead)) is not None:
                text = self._text[self._start : cut.at].rstrip()
                found.append(Sentence(text, self._offset + self._start, cut.pause_s, cut.clause))
                self._first = False
                self._move(cut.at)
        except NeedMore:
            pass
        self._forget()
        return found

    def _move(self, at: int) -> None:
        self._start = at
        self._scanned = max(self._scanned, at)

    def _forget(self) -> None:
        """What was given is dropped once a feed, not once a sentence: a long text costs its length and no more."""
        gone, self._text = self._text[: self._start], self._text[self._start :]
        last_break = max(gone.rfind(end) for end in LINE_ENDS)
        self._column = len(gone) - last_break - 1 if last_break >= 0 else self._column + len(gone)
        self._offset += len(gone)
        self._scanned = max(self._scanned - len(gone), 0)
        self._clauses = max(self._clauses - len(gone), 0)
        self._start = 0

    def _next_cut(self, ahead: Ahead) -> _Cut | None:
        """Where the sentence that begins here ends; None: there is no more text. Raises `NeedMore`."""
        self._move(self._after_space())
        limit = self._start + self._max
        while self._first and (clause := self._next_clause(limit)) is not None:
            if (end := self._sentence_end(ahead, clause.start())) is not None:
                return _cut(end)
            if (cut := self._clause_cut(ahead, clause)) is not None:
                return cut
            self._clauses = clause.end()
        if (end := self._sentence_end(ahead, limit)) is not None:
            return _cut(end)
        if len(self._text) > limit:
            return self._forced_cut(limit)
        if not self._whole:
            raise NeedMore
        return _Cut(len(self._text), SENTENCE_S) if self._start < len(self._text) else None

    def _after_space(self) -> int:
        at = self._start
        while at < len(self._text) and self._text[at].isspace():
            at += 1
        return at

    def _sentence_end(self, ahead: Ahead, limit: int) -> End | None:
        """The end of the sentence at `limit` or before; what is refused here is not asked about again."""
        while (found := self._ends.candidates.search(self._text, self._scanned, limit)) is not None:
            if found.end() >= limit:
                return None
            end = self._ends.end(ahead, self._start, found)
            if end is not None:
                return end if end.at <= limit else None
            self._scanned = found.end()
        self._scanned = max(self._scanned, min(limit, len(self._text)))
        return None

    def _next_clause(self, limit: int) -> re.Match[str] | None:
        return _CLAUSE.search(self._text, max(self._clauses, self._start), limit)

    def _clause_cut(self, ahead: Ahead, found: re.Match[str]) -> _Cut | None:
        """The first clause, where it can stand alone and much of the sentence is still to come."""
        at = found.end()
        if _letters(self._text[self._start : at]) < FIRST_LETTERS:
            return None
        if ahead[at] and ahead[at] in CLOSING:
            at += 1
        if not ahead[at].isspace() and found[0] not in _CJK_CLAUSES:
            return None
        for place in range(at, at + REST_CHARACTERS):
            if not ahead[place] or _STOP.match(ahead[place]):
                return None
        return _Cut(at, CLAUSE_S, clause=True)

    def _forced_cut(self, limit: int) -> _Cut:
        """Too long for one breath: after a sign, between two words, or between two characters."""
        text, start = self._text, self._start
        for at in range(limit, start + self._max // 3, -1):
            if (text[at].isspace() and (_CLAUSE.match(text[at - 1]) or _STOP.match(text[at - 1]))) or (
                text[at - 1] in _CJK_CLAUSES
            ):
                return _Cut(at, CLAUSE_S, clause=True)
        for at in range(limit, start, -1):
            if text[at].isspace():
                return _Cut(at, 0.0, clause=True)
        return _Cut(safe_cut(text, limit, start), 0.0, clause=True)


def split(text: str, language: str = "", max_chars: int = MAX_CHARACTERS, first_clause: bool = True) -> list[Sentence]:
    """The sentences of a whole text."""
    splitter = SentenceSplitter(language, max_chars, first_clause)
    return splitter.feed(text) + splitter.finish()


def _cut(end: End) -> _Cut:
    return _Cut(end.at, LINE_S if end.line else SENTENCE_S)


def _letters(text: str) -> int:
    return sum(_CJK_LETTERS if is_cjk(character) else 1 for character in text)
