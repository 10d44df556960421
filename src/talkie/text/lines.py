"""From parts to lines: what an engine is given in one call. A sentence or a clause, in one language and one manner.

Sentences are found in the plain text, across markup; what has its own way of being said is never cut. Reads a text
that is still coming in. Knows nothing of engines or sound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from talkie.text.inline import InlineReader
from talkie.text.parts import Part, Pause, Say, Voicing, plain_text, speakable
from talkie.text.sentences import MAX_CHARACTERS, Sentence, SentenceSplitter
from talkie.text.ssml import parse

if TYPE_CHECKING:
    from talkie.text.lexicon import Lexicon


_PIECE_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class Line:
    """Says that follow one another in the plain text and share their `voicing`; `pause_s` of silence comes after them.

    `clause`: the sentence goes on in the next line.
    """

    says: tuple[Say, ...]
    pause_s: float
    clause: bool = False

    @property
    def text(self) -> str:
        return plain_text(self.says)

    @property
    def start(self) -> int:
        return self.says[0].start

    @property
    def said(self) -> str:
        """The letters for an engine that knows no phonemes."""
        return "".join(say.said for say in self.says)

    @property
    def has_phonemes(self) -> bool:
        return any(say.phonemes is not None for say in self.says)

    @property
    def voicing(self) -> Voicing:
        return self.says[0].voicing

    @property
    def lang(self) -> str | None:
        return self.says[0].lang

    @property
    def rate(self) -> float:
        return self.says[0].rate

    @property
    def pitch(self) -> float:
        return self.says[0].pitch

    @property
    def volume(self) -> float:
        return self.says[0].volume


class LineReader:
    """Fed with parts in order; gives lines as soon as they are whole, and the pauses between them."""

    def __init__(
        self,
        language: str = "",
        lexicon: Lexicon | None = None,
        max_chars: int = MAX_CHARACTERS,
        *,
        first_clause: bool = True,
    ) -> None:
        self._language = language
        self._lexicon = lexicon
        self._splitter = SentenceSplitter(language, max_chars, first_clause)
        self._says: deque[Say] = deque()

    def feed(self, part: Part) -> list[Line | Pause]:
        if isinstance(part, Pause):
            return self._rest(part)
        found: list[Line | Pause] = []
        for say in _pieces(part):
            self._says.append(say)
            found += self._lines(self._splitter.feed(_masked(say)))
        return found

    def finish(self) -> list[Line | Pause]:
        return self._lines(self._splitter.finish())

    def _rest(self, pause: Pause) -> list[Line | Pause]:
        """A pause ends the line before it, and stands in place of that line's own."""
        found = self._lines(self._splitter.finish())
        if found and isinstance(found[-1], Line):
            found[-1] = replace(found[-1], pause_s=0.0)
        return [*found, pause]

    def _lines(self, sentences: Iterable[Sentence]) -> list[Line | Pause]:
        found: list[Line | Pause] = []
        for sentence in sentences:
            lines = self._cut(sentence)
            if lines:
                found += lines
            elif sentence.pause_s:
                found.append(Pause(sentence.pause_s))  # `* * *` is a rest
        return found

    def _cut(self, sentence: Sentence) -> list[Line]:
        """The lines of a sentence, one for each way of saying; those with nothing to be said are left out."""
        runs = [tuple(run) for _, run in groupby(self._between(sentence), key=_voicing)]
        lines = [Line(self._respelled(run), 0.0, clause=True) for run in runs]
        lines = [line for line in lines if line.has_phonemes or speakable(line.said)]
        if lines:
            lines[-1] = replace(lines[-1], pause_s=sentence.pause_s, clause=sentence.clause)
        return lines

    def _between(self, sentence: Sentence) -> Iterator[Say]:
        end = sentence.start + len(sentence.text)
        while self._says and self._says[0].start < end:
            say = self._says.popleft()
            say_end = say.start + len(say.text)
            if say.whole:
                yield say
                continue
            if say_end > end:
                self._says.appendleft(say.cut(end, say_end))
            if say_end > sentence.start:
                yield say.cut(max(say.start, sentence.start), min(say_end, end))

    def _respelled(self, run: Iterable[Say]) -> tuple[Say, ...]:
        says = _joined(run)
        if self._lexicon is None:
            return says
        return tuple(part for say in says for part in self._lexicon.apply(say, self._language))


def read_text(pieces: Iterable[str], reader: LineReader) -> Iterator[Line | Pause]:
    """The lines of a plain text, with phonemes written into it; `pieces` may still be coming in."""
    inline = InlineReader()
    for piece in pieces:
        for say in inline.feed(piece):
            yield from reader.feed(say)
    for say in inline.finish():
        yield from reader.feed(say)
    yield from reader.finish()


def read_ssml(text: str, reader: LineReader) -> Iterator[Line | Pause]:
    """The lines of an SSML document. What is wrong with it is raised before the first: `BadSsml`."""
    return read_parts(parse(text), reader)


def read_parts(parts: Iterable[Part], reader: LineReader) -> Iterator[Line | Pause]:
    """The lines of parts that are all there, as `ssml.parse` gives them."""
    for part in parts:
        yield from reader.feed(part)
    yield from reader.finish()


def _pieces(say: Say) -> Iterator[Say]:
    """A long stretch in short ones, because each sentence copies what is left of the one it is cut from."""
    if say.whole:
        yield say
        return
    end = say.start + len(say.text)
    for start in range(say.start, end, _PIECE_CHARACTERS):
        yield say.cut(start, min(start + _PIECE_CHARACTERS, end))


def _joined(run: Iterable[Say]) -> tuple[Say, ...]:
    """Neighbours that came in pieces put together again, so that a word of the lexicon is found across them."""
    says: list[Say] = []
    for whole, group in groupby(run, key=_is_whole):
        if whole:
            says += group
        else:
            parts = list(group)
            says.append(replace(parts[0], text=plain_text(parts)))
    return tuple(says)


def _is_whole(say: Say) -> bool:
    return say.whole


def _masked(say: Say) -> str:
    """For the splitter: what is said whole must not look as if a sentence ended in it."""
    if not say.whole:
        return say.text
    return "".join(letter if letter.isalnum() else "x" for letter in say.text)


def _voicing(say: Say) -> Voicing:
    return say.voicing
