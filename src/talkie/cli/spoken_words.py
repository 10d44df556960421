"""Word marks as captions, and all marks as JSON. Knows nothing of sound; files are `sinks`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from talkie.errors import InvalidValue
from talkie.text.cues import CLOSING, SENTENCE_ENDS, Layout
from talkie.text.subtitles import WRITERS
from talkie.types import Mark, Segment, Word

ENDINGS = {f".{name}": name for name in WRITERS}


def caption_format(path: Path) -> str:
    """By the ending of a file's name. Raises `InvalidValue`."""
    name = ENDINGS.get(path.suffix.lower())
    if name is None:
        raise InvalidValue(
            "captions", f"{path.name[:80]!r} has no ending of captions.", hint=f"One of: {', '.join(ENDINGS)}."
        )
    return name


def captions(marks: Sequence[Mark], form: str) -> str:
    """A file of captions: one or more cues a sentence."""
    writer = WRITERS[form](Layout())
    return writer.start() + "".join(writer.feed(segment) for segment in _sentences(marks))


def as_json(marks: Sequence[Mark]) -> str:
    """All marks, one object a line."""
    return "".join(json.dumps(_row(mark), ensure_ascii=False) + "\n" for mark in marks)


def _row(mark: Mark) -> dict[str, object]:
    return {
        "kind": mark.kind,
        "text": mark.text,
        "start": round(mark.start_s, 3),
        "end": round(mark.end_s, 3),
        "estimated": mark.estimated,
    }


def _sentences(marks: Sequence[Mark]) -> Iterator[Segment]:
    words: list[Word] = []
    for mark in marks:
        if mark.kind != "word":
            continue
        words.append(Word(mark.text, mark.start_s, mark.end_s))
        if mark.text.rstrip("".join(CLOSING - SENTENCE_ENDS))[-1:] in SENTENCE_ENDS:
            yield _segment(words)
            words = []
    if words:
        yield _segment(words)


def _segment(words: list[Word]) -> Segment:
    return Segment(" ".join(word.text for word in words), words[0].start_s, words[-1].end_s, tuple(words))
