"""OpenAI's answers read back into Talkie's words: the other half of `openai.py`, for our own client.

Takes what any server of that API sends; what is missing is left at its default, what is of another kind is a
`ValueError`. Knows nothing of sockets.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from talkie.errors import InvalidValue
from talkie.text.languages import parse_language
from talkie.types import Dropped, Notice, Segment, Task, Transcript, Word


def transcript(body: Any) -> Transcript:
    """A `verbose_json` (or `json`) answer as a `Transcript`; words are given to the segments that hold them."""
    if not isinstance(body, dict) or not isinstance(body.get("text"), str):
        raise ValueError("it holds no text")  # noqa: TRY004 - what a server sent, not what a caller passed
    words = deque(_word(item) for item in _list(body, "words"))
    segments = tuple(_with_words(_segment(item), words) for item in _list(body, "segments"))
    duration_s = _number(body, "duration")
    if not segments and body["text"].strip():
        segments = (Segment(body["text"].strip(), 0.0, duration_s, tuple(words)),)
    return Transcript(
        segments=segments,
        language=_language(body.get("language")),
        duration_s=duration_s,
        task=_task(body.get("task")),
        decoded_until_s=duration_s,
        notices=tuple(
            Notice(str(item.get("code", "")), str(item.get("message", ""))) for item in _list(body, "warnings")
        ),
        dropped=tuple(Dropped(_segment(item), str(item.get("reason", ""))) for item in _list(body, "dropped")),
    )


def events(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The JSON objects of a stream of server-sent events (HTML standard, 9.2), given as lines without their ends.

    Other fields, comments and OpenAI's closing `[DONE]` are passed over. Raises `ValueError`.
    """
    data: list[str] = []
    for line in chain(lines, ("",)):
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and data:
            text, data = "\n".join(data), []
            if text == "[DONE]":
                return
            event = json.loads(text)
            if not isinstance(event, dict):
                raise ValueError("an event is not an object")
            yield event


def _segment(item: dict[str, Any]) -> Segment:
    return Segment(
        text=str(item.get("text", "")),
        start_s=_number(item, "start"),
        end_s=_number(item, "end"),
        tokens=tuple(token for token in item.get("tokens") or () if isinstance(token, int)),
        avg_logprob=_number(item, "avg_logprob"),
        no_speech_prob=_number(item, "no_speech_prob"),
        compression_ratio=_number(item, "compression_ratio", 1.0),
        temperature=_number(item, "temperature"),
    )


def _word(item: dict[str, Any]) -> Word:
    return Word(
        str(item.get("word", "")).strip(),
        _number(item, "start"),
        _number(item, "end"),
        _number(item, "probability", 1.0),
    )


def _with_words(segment: Segment, words: deque[Word]) -> Segment:
    """Takes from the left the words whose texts stand in the segment one after another."""
    own: list[Word] = []
    at = 0
    while words and (place := segment.text.find(words[0].text, at)) >= 0:
        at = place + len(words[0].text)
        own.append(words.popleft())
    return replace(segment, words=tuple(own))


def _list(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    items = body.get(name) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError(f"{name} is not a list of objects")
    return items


def _number(item: dict[str, Any], name: str, default: float = 0.0) -> float:
    value = item.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{name} is not a number")  # noqa: TRY004
    return float(value)  # OpenAI sends the duration as text


def _language(value: Any) -> str:
    try:
        return parse_language(str(value or "")) or ""
    except InvalidValue:
        return str(value)


def _task(value: Any) -> Task:
    return "translate" if value == "translate" else "transcribe"
