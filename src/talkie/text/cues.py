"""Cues: what a subtitle shows at one time, cut from segments. Knows nothing of file formats.

A cue is a whole segment unless a `Layout` asks for readable ones; then long segments are cut between words whose times
are known, and lines are broken. No time is ever invented: a long segment without word times stays one cue.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from talkie.types import Segment, Word

SENTENCE_ENDS = frozenset(".?!…。？！।؟۔")  # noqa: RUF001
CLOSING = frozenset("、。，．・：；？！」』）】〕〉》…ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.!?:;)]}")  # noqa: RUF001
"""Characters that a line does not begin with."""

MAX_S = 1e9


@dataclass(frozen=True, slots=True)
class Layout:
    """How much a cue may show: columns a line (a full-width character counts two), lines, seconds."""

    line_columns: int = 42
    lines: int = 2
    max_s: float = 7.0


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines of text, none of them empty, from `start_ms` to `end_ms` (whole milliseconds, start <= end)."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


def cues(segment: Segment, layout: Layout | None = None) -> Iterator[Cue]:
    """The cues of a segment, in order; none where it has no text."""
    if layout is None:
        text = clean(segment.text)
        if text:
            yield _cue(segment.start_s, segment.end_s, (text,))
        return
    for part in _parts(segment, layout):
        lines = break_lines(clean(part.text), layout.line_columns)
        if lines:
            yield _cue(part.start_s, part.end_s, lines)


def clean(text: str) -> str:
    """One line of well-formed text: white space of any kind is one space, control characters and half of a
    surrogate pair are gone."""
    return " ".join("".join(map(_printable, text)).split())


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, never negative; a time that is no number is 0, and one beyond reason is `MAX_S`."""
    return round(min(max(seconds, 0.0), MAX_S) * 1000) if math.isfinite(seconds) else 0


def columns(text: str) -> int:
    """How wide a text is on the screen, in columns of half a square."""
    return sum(_width(character) for character in text)


def break_lines(text: str, line_columns: int) -> tuple[str, ...]:
    """Lines of at most `line_columns`; two lines are made about equal. A word wider than a line is left whole."""
    atoms = _atoms(text)
    lines = _fill(atoms, line_columns)
    if len(lines) == 2:
        lines = _balance(atoms, line_columns)
    return tuple("".join(line).strip() for line in lines)


def _cue(start_s: float, end_s: float, lines: tuple[str, ...]) -> Cue:
    start_ms = milliseconds(start_s)
    return Cue(start_ms, max(start_ms, milliseconds(end_s)), lines)


def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return ""
    return " " if category == "Cc" else character


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _parts(segment: Segment, layout: Layout) -> Iterator[Segment]:
    """The segment cut between words, so that each part fits the layout; itself where its words cannot be found."""
    pieces = _spread(segment)
    if not pieces or (_fits(segment.text, layout) and segment.end_s - segment.start_s <= layout.max_s):
        yield segment
        return
    text, start_s, end_s = "", segment.start_s, segment.start_s
    for piece, word in pieces:
        full = not _fits(text + piece, layout) or word.end_s - start_s > layout.max_s
        if text.strip() and (full or _rests(text, layout)):
            yield Segment(text, start_s, end_s)
            text, start_s = "", word.start_s
        text, end_s = text + piece, word.end_s
    yield Segment(text, start_s, end_s)


def _spread(segment: Segment) -> list[tuple[str, Word]]:
    """Each word with the text that belongs to it, spaces and punctuation included; together they are the text."""
    places: list[int] = []
    at = 0
    for word in segment.words:
        place = segment.text.find(word.text, at) if word.text else -1
        if place < 0:
            return []
        places.append(place)
        at = place + len(word.text)
    bounds = pairwise([0, *places[1:], len(segment.text)])
    return [(segment.text[start:end], word) for (start, end), word in zip(bounds, segment.words, strict=False)]


def _fits(text: str, layout: Layout) -> bool:
    return len(_fill(_atoms(clean(text)), layout.line_columns)) <= layout.lines


def _rests(text: str, layout: Layout) -> bool:
    """A sentence ends here and the cue is at least half full: a good place to begin a new one."""
    stripped = text.rstrip().rstrip("\"'”’»")  # noqa: RUF001
    return stripped[-1:] in SENTENCE_ENDS and columns(stripped) * 2 >= layout.line_columns * layout.lines


def _atoms(text: str) -> list[str]:
    """Pieces between which a line may be broken, with the space after them: words, and single full-width letters."""
    atoms: list[str] = []
    for word in text.split():
        run = ""
        for character in word:
            sticks = character in CLOSING or (_width(character) < 2 and (not run or _width(run[-1]) < 2))
            if run and not sticks:
                atoms.append(run)
                run = ""
            run += character
        atoms.append(run + " ")
    return atoms


def _fill(atoms: list[str], line_columns: int) -> list[list[str]]:
    """As much on each line as goes; the space at the end of a line does not count."""
    lines: list[list[str]] = []
    width = 0
    for atom in atoms:
        if not lines or width + columns(atom.rstrip()) > line_columns:
            lines.append([])
            width = 0
        lines[-1].append(atom)
        width += columns(atom)
    return lines


def _balance(atoms: list[str], line_columns: int) -> list[list[str]]:
    """Two lines, the longer one as short as it can be; what fits stays within the width."""
    widths = [columns(atom) for atom in atoms]
    total, best, place = sum(widths), math.inf, 1
    before = 0
    for index in range(1, len(atoms)):
        before += widths[index - 1]
        longest = max(before, total - before)
        if longest < best:
            best, place = longest, index
    return [atoms[:place], atoms[place:]]
