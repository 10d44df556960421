"""Subtitles: SubRip, WebVTT and Whisper's TSV, whole or segment by segment. Knows nothing of files or audio.

Whatever a transcript says, the file is well-formed: a cue's text never holds a line break or an arrow that a reader
would take for structure, times never run backwards, a segment without text makes no cue. SubRip has no standard and is
written as players read it; WebVTT follows https://www.w3.org/TR/webvtt1/; TSV (milliseconds) is openai/whisper's
`WriteTSV`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, Protocol

from talkie.text.cues import Cue, Layout, cues
from talkie.types import Segment

ARROW = re.compile(r"-{2,}>")


class SubtitleWriter(Protocol):
    """Text of a file in the making: `start()` once, then `feed` for every segment in order. Nothing comes after."""

    def start(self) -> str: ...

    def feed(self, segment: Segment) -> str: ...


class _Writer:
    """Numbers cues and keeps their starts in order. `least_ms` is the shortest cue the format allows."""

    header: ClassVar[str] = ""
    least_ms: ClassVar[int] = 1

    def __init__(self, layout: Layout | None = None) -> None:
        self._layout = layout
        self._count = 0
        self._last_start_ms = 0

    def start(self) -> str:
        return self.header

    def feed(self, segment: Segment) -> str:
        """The lines of this segment's cues; empty where it has no text."""
        return "".join(self._write(cue) for cue in cues(segment, self._layout))

    def _write(self, cue: Cue) -> str:
        self._count += 1
        start_ms = max(cue.start_ms, self._last_start_ms)
        self._last_start_ms = start_ms
        return self._cue(self._count, Cue(start_ms, max(cue.end_ms, start_ms + self.least_ms), cue.lines))

    def _cue(self, number: int, cue: Cue) -> str:
        raise NotImplementedError


class SrtWriter(_Writer):
    """SubRip. An arrow in the text is shortened as openai/whisper does, since the format cannot escape it."""

    def _cue(self, number: int, cue: Cue) -> str:
        text = "\n".join(ARROW.sub("->", line) for line in cue.lines)
        return f"{number}\n{timestamp(cue.start_ms, ',')} --> {timestamp(cue.end_ms, ',')}\n{text}\n\n"


class VttWriter(_Writer):
    """WebVTT. `&`, `<` and `>` are escaped, so that no text is taken for a tag or a time."""

    header: ClassVar[str] = "WEBVTT\n\n"

    def _cue(self, number: int, cue: Cue) -> str:
        text = "\n".join(_escape(line) for line in cue.lines)
        return f"{timestamp(cue.start_ms, '.')} --> {timestamp(cue.end_ms, '.')}\n{text}\n\n"


class TsvWriter(_Writer):
    """A line a cue: start and end in whole milliseconds, and the text."""

    header: ClassVar[str] = "start\tend\ttext\n"
    least_ms: ClassVar[int] = 0

    def _cue(self, number: int, cue: Cue) -> str:
        return f"{cue.start_ms}\t{cue.end_ms}\t{' '.join(cue.lines)}\n"


WRITERS: dict[str, type[_Writer]] = {"srt": SrtWriter, "vtt": VttWriter, "tsv": TsvWriter}


def to_srt(segments: Iterable[Segment], layout: Layout | None = None) -> str:
    """A whole SubRip file; empty when nothing was said."""
    return _whole(SrtWriter(layout), segments)


def to_vtt(segments: Iterable[Segment], layout: Layout | None = None) -> str:
    """A whole WebVTT file; only its header when nothing was said."""
    return _whole(VttWriter(layout), segments)


def to_tsv(segments: Iterable[Segment], layout: Layout | None = None) -> str:
    """A whole TSV file; only its header when nothing was said."""
    return _whole(TsvWriter(layout), segments)


def timestamp(milliseconds: int, mark: str) -> str:
    """`01:02:03,004` with `mark` before the milliseconds; hours grow past 99 as they must."""
    seconds, millis = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{mark}{millis:03d}"


def _whole(writer: SubtitleWriter, segments: Iterable[Segment]) -> str:
    return writer.start() + "".join(map(writer.feed, segments))


def _escape(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
