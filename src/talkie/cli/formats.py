"""A transcript in the making, in each format: what to write at the start, for every segment, and at the end.

The JSON is the server's own, byte for byte (`talkie.wire.openai`). Knows nothing of files and terminals.
"""

from __future__ import annotations

from typing import Any, Protocol

from talkie.text.cues import Layout, clean
from talkie.text.subtitles import WRITERS, SubtitleWriter
from talkie.types import Segment, Transcript

FORMATS = {"text": "txt", "json": "json", "verbose_json": "json", "srt": "srt", "vtt": "vtt", "tsv": "tsv"}
"""Format to the ending of its files."""
ALIASES = {"txt": "text"}


class Format(Protocol):
    """Pieces of one file; together they are the whole of it."""

    def start(self) -> str: ...

    def feed(self, segment: Segment) -> str: ...

    def finish(self, transcript: Transcript) -> str: ...


class PlainText:
    """A segment a line, as it is heard. Where several recordings share an output each begins with its name."""

    def __init__(self, file: str = "") -> None:
        self._file = file

    def start(self) -> str:
        return f"==> {self._file} <==\n" if self._file else ""

    def feed(self, segment: Segment) -> str:
        text = clean(segment.text)
        return f"{text}\n" if text else ""

    def finish(self, transcript: Transcript) -> str:
        return "\n" if self._file else ""


class Subtitles:
    """Cues as they are heard."""

    def __init__(self, writer: SubtitleWriter) -> None:
        self._writer = writer

    def start(self) -> str:
        return self._writer.start()

    def feed(self, segment: Segment) -> str:
        return self._writer.feed(segment)

    def finish(self, transcript: Transcript) -> str:
        return ""


class Json:
    """One line at the end. `file` names the recording where several share an output."""

    def __init__(self, *, verbose: bool, words: bool, file: str = "") -> None:
        self._verbose, self._words, self._file = verbose, words, file

    def start(self) -> str:
        return ""

    def feed(self, segment: Segment) -> str:
        return ""

    def finish(self, transcript: Transcript) -> str:
        from talkie.wire import openai

        full = openai.verbose(transcript, words=self._words, notices=transcript.notices)
        body: dict[str, Any] = full if self._verbose else {key: full[key] for key in SHORT if key in full}
        return openai.to_json({"file": self._file, **body} if self._file else body).decode() + "\n"


SHORT = ("text", "words", "usage", "warnings")
"""What `json` has of `verbose_json`. Words are there when they were asked for."""


def make_format(name: str, *, words: bool, file: str = "") -> Format:
    """`words`: list them in JSON; cut subtitles between them."""
    if name == "text":
        return PlainText(file)
    if name in WRITERS:
        return Subtitles(WRITERS[name](Layout() if words else None))
    return Json(verbose=name == "verbose_json", words=words, file=file)
