"""Word marks of a text: exactly one for each of its words, whatever the engine made of numbers and abbreviations.

An engine names the words it spoke; here each is found again in what was given to it, and from there in the plain text.
Words that share one stretch of sound divide it by their letters, and say that they are estimated. Knows nothing of
engines or samples.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from talkie.text.parts import Say, plain_text, speakable
from talkie.text.words import words
from talkie.types import Mark

_JUMP_CHARACTERS = 80  # how far ahead a word is looked for when words between were not named
_SIGN_LETTERS = 4  # a digit or sign takes about as long to say as so many letters

_Times = tuple[float, float]


def word_marks(says: Sequence[Say] | str, marks: Sequence[Mark], start_s: float, end_s: float) -> tuple[Mark, ...]:
    """One word mark for each word of the plain text, in order, none overlapping, all within `start_s`..`end_s`.

    `marks` are the engine's, in the order of time: words as slices of what was said, or phonemes, or nothing at all.
    """
    said = _Said((Say(says, 0),) if isinstance(says, str) else says)
    spans = words(said.plain)
    named = [mark for mark in marks if mark.kind == "word"]
    if not spans:
        return ()
    times: list[_Times | None] = [None] * len(spans)
    loose: dict[int, _Times] = {}
    if named:
        _place(said, spans, named, times, loose)
    if not any(times):
        return _tidy(said.plain, spans, _spread_all(said, spans, marks, start_s, end_s), set(range(len(spans))), end_s)
    _last_through(times, [mark for mark in marks if mark.kind == "phoneme" and speakable(mark.text)])
    shared = _share(said.plain, spans, times, loose, (start_s, end_s))
    return _tidy(said.plain, spans, [time or (start_s, start_s) for time in times], shared, end_s)


class _Said:
    """What was given to the engine, and where each of its characters comes from in the plain text."""

    def __init__(self, says: Sequence[Say]) -> None:
        self.plain = plain_text(says)
        self.text = "".join(say.said for say in says)
        lowered = self.text.lower()
        self._lowers = len(lowered) == len(self.text)  # else the offsets would not hold
        self.search = lowered if self._lowers else self.text
        self._edges: list[tuple[int, int, int, int]] = []
        at = plain = 0
        for say in says:
            self._edges.append((at, at + len(say.said), plain, plain + len(say.text)))
            at, plain = at + len(say.said), plain + len(say.text)

    def wanted(self, name: str) -> str:
        """A mark's text as it is looked for."""
        return _bare(name.lower() if self._lowers else name)

    def origin(self, at: int) -> int:
        """The offset in the plain text; in proportion where something else was said."""
        for start, end, plain, plain_end in self._edges:
            if start <= at < end:
                return plain + (at - start) * (plain_end - plain) // (end - start)
        return max(len(self.plain) - 1, 0)


@dataclass(slots=True)
class _Cursor:
    """How far the engine's words were found: `at` in what was said, and the word of it they were found in last."""

    at: int = 0
    word: int = -1


def _place(
    said: _Said,
    spans: list[tuple[int, int]],
    named: Sequence[Mark],
    times: list[_Times | None],
    loose: dict[int, _Times],
) -> None:
    """Give each word the time of the marks found in it; `loose` is the time of those not found, by the word before."""
    starts = words(said.text)
    cursor, current = _Cursor(), -1
    for mark in named:
        place = _find(said, starts, mark.text, cursor)
        if place is None and not mark.text.strip():
            place = -1  # a continuation without a name
        if place is None:
            first, _ = loose.get(current, (mark.start_s, 0.0))
            loose[current] = first, mark.end_s
            continue
        if place >= 0:
            current = max(_word_at(spans, said.origin(place), current), current, 0)
        if current >= 0:
            first, last = times[current] or (mark.start_s, mark.end_s)
            times[current] = first, max(last, mark.end_s)


def _last_through(times: list[_Times | None], sounds: Sequence[Mark]) -> None:
    """A word lasts through every sound before the next word: engines do not name all the words of a number."""
    starts = [sound.start_s for sound in sounds]
    limit = math.inf
    for word in range(len(times) - 1, -1, -1):
        time = times[word]
        if time is None:
            limit = -math.inf  # a word without a name took part of these sounds
            continue
        last = bisect_left(starts, limit) - 1
        if last >= 0 and starts[last] >= time[0]:
            times[word] = time[0], max(time[1], min(sounds[last].end_s, limit))
        limit = time[0]


def _find(said: _Said, starts: list[tuple[int, int]], name: str, cursor: _Cursor) -> int | None:
    """Where a mark's text stands: next, or in the word before (a number is several words to an engine), or ahead."""
    text = said.search
    wanted = said.wanted(name)
    if not wanted:
        return None
    next_word = cursor.at
    while next_word < len(text) and not speakable(text[next_word]):
        next_word += 1
    place = text.find(wanted, cursor.at, next_word + len(wanted))
    if place < 0:
        inside = starts[cursor.word] if cursor.word >= 0 else (0, 0)
        place = text.find(wanted, *inside)
        if place >= 0:
            cursor.at = max(cursor.at, place + len(wanted))
            return place
        place = next(
            (start for start, _ in _near(starts, cursor) if text.startswith(wanted, _bare_start(text, start))), -1
        )
        if place < 0:
            return None
    cursor.at = place + len(wanted)
    cursor.word = _word_at(starts, place, cursor.word)
    return place


def _near(starts: list[tuple[int, int]], cursor: _Cursor) -> list[tuple[int, int]]:
    near = []
    for span in starts[max(cursor.word, 0) :]:
        if span[0] > cursor.at + _JUMP_CHARACTERS:
            break
        if span[0] >= cursor.at:
            near.append(span)
    return near


def _bare(name: str) -> str:
    """A mark's text without the spaces and signs around it, unless it is nothing else."""
    start, end = 0, len(name)
    while start < end and not speakable(name[start]):
        start += 1
    while end > start and not speakable(name[end - 1]) and unicodedata.category(name[end - 1])[0] != "M":
        end -= 1
    return name[start:end] or name.strip()


def _bare_start(text: str, at: int) -> int:
    while at < len(text) and not speakable(text[at]):
        at += 1
    return at


def _word_at(spans: list[tuple[int, int]], at: int, after: int) -> int:
    """The word that holds an offset, none before the word `after`; the nearest one before a gap."""
    found = max(after, 0)
    while found + 1 < len(spans) and spans[found + 1][0] <= at:
        found += 1
    return found


def _share(
    text: str, spans: list[tuple[int, int]], times: list[_Times | None], loose: dict[int, _Times], whole: _Times
) -> set[int]:
    """Give the words without a time a part of what was not found, or of a neighbour's; returns which were shared."""
    shared: set[int] = set()
    at = 0
    while at < len(spans):
        if times[at] is not None:
            at += 1
            continue
        end = next((later for later in range(at, len(spans)) if times[later] is not None), len(spans))
        before = times[at - 1] if at else None
        after = times[end] if end < len(spans) else None
        room = loose.get(at - 1)
        first, last = at, end
        if room is not None:
            limit = after[0] if after else whole[1]
            room = min(room[0], limit), min(max(room), limit)
        elif before is not None:
            room, first = before, at - 1
        elif after is not None:
            room, last = (after[0], after[1]), end + 1
        for number, time in zip(range(first, last), _spread(text, spans[first:last], room or whole), strict=True):
            times[number] = time
            shared.add(number)
        at = last
    return shared


def _spread_all(
    said: _Said, spans: list[tuple[int, int]], marks: Sequence[Mark], start_s: float, end_s: float
) -> list[_Times]:
    """Nothing is known of words: by their letters, and where phonemes are known, between two of them."""
    sounds = [mark for mark in marks if mark.kind == "phoneme" and speakable(mark.text)]
    if len(sounds) < len(spans):
        return _spread(said.plain, spans, (start_s, end_s))
    shares = _spread(said.plain, spans, (0.0, float(len(sounds))))
    edges = [min(round(first), len(sounds) - 1) for first, _ in shares]
    starts = [sounds[edge].start_s for edge in edges]
    ends = [sounds[max(end - 1, edge)].end_s for edge, end in zip(edges, [*edges[1:], len(sounds)], strict=True)]
    return list(zip(starts, ends, strict=True))


def _spread(text: str, spans: Sequence[tuple[int, int]], room: _Times) -> list[_Times]:
    weights = [_letters(text[start:end]) for start, end in spans]
    total, done = sum(weights), 0
    times: list[_Times] = []
    for weight in weights:
        start = room[0] + (room[1] - room[0]) * done / total
        done += weight
        times.append((start, room[0] + (room[1] - room[0]) * done / total))
    return times


def _letters(text: str) -> int:
    kinds = (unicodedata.category(character)[0] for character in text)
    return max(1, sum({"L": 1, "N": _SIGN_LETTERS, "S": _SIGN_LETTERS}.get(kind, 0) for kind in kinds))


def _tidy(
    text: str, spans: list[tuple[int, int]], times: Sequence[_Times], shared: set[int], end_s: float
) -> tuple[Mark, ...]:
    """Marks in order: none begins before the one before it, and each ends where the next begins at the latest."""
    starts: list[float] = []
    for start, _ in times:
        starts.append(min(max(start, starts[-1] if starts else 0.0), end_s))
    marks = []
    for number, ((first, last), (_, end)) in enumerate(zip(spans, times, strict=True)):
        limit = starts[number + 1] if number + 1 < len(starts) else end_s
        finish = max(min(end, limit), starts[number])
        marks.append(Mark("word", text[first:last], starts[number], finish, estimated=number in shared))
    return tuple(marks)
