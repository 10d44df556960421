"""Answers for speech and voices read back into Talkie's words, for our own client: the other half of `speech.py`.

Takes what any server of that API sends; what is missing is left at its default, what is of another kind is a
`ValueError`. Knows nothing of sockets.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any, get_args

import numpy as np

from talkie.types import Mark, MarkKind, Samples, SpeechChunk

_KINDS: dict[str, MarkKind] = {kind: kind for kind in get_args(MarkKind)}


def chunks(events: Iterable[dict[str, Any]], sample_rate: int) -> Iterator[SpeechChunk]:
    """Events of a stream of PCM; marks go with the sound that follows them. Ends with the last event of the answer;
    a stream without one is a `ValueError`. Events of other kinds are passed over."""
    pcm, marks = Pcm(), list[Mark]()
    for event in events:
        kind = event.get("type")
        if kind == "speech.audio.marks":
            marks += [_mark(item) for item in _objects(event, "marks")]
        elif kind == "speech.audio.delta":
            samples = pcm.feed(base64.b64decode(str(event.get("audio", "")), validate=True))
            yield SpeechChunk(samples, sample_rate, tuple(marks))
            marks.clear()
        elif kind == "speech.audio.done":
            if marks:
                yield SpeechChunk(np.zeros(0, np.float32), sample_rate, tuple(marks))
            return
    raise ValueError("the stream ended in the middle")


class Pcm:
    """Little-endian 16-bit samples in pieces that may end in the midst of one."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Samples:
        data = self._rest + data
        whole = len(data) // 2 * 2
        self._rest = data[whole:]
        return np.frombuffer(data[:whole], "<i2").astype(np.float32) / np.float32(32768)


def voices(body: Any) -> list[dict[str, Any]]:
    """The list, whichever of its shapes a server gives it: an object or bare, of objects or of names."""
    found = body.get("voices", body.get("data")) if isinstance(body, dict) else body
    if not isinstance(found, list):
        raise ValueError("it holds no list of voices")  # noqa: TRY004 - what a server sent, not what a caller passed
    return [voice({"id": item} if isinstance(item, str) else item) for item in found]


def voice(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or not isinstance(body.get("id"), str):
        raise ValueError("a voice has no id")  # noqa: TRY004
    return {**body, "name": str(body.get("name") or body["id"])}


def _mark(item: dict[str, Any]) -> Mark:
    kind = _KINDS.get(str(item.get("kind")))
    if kind is None:
        raise ValueError("a mark is of no kind that is known")
    start_s, end_s = _seconds(item, "start"), _seconds(item, "end")
    return Mark(kind, str(item.get("text", "")), start_s, end_s, item.get("estimated") is True)


def _seconds(item: dict[str, Any], name: str) -> float:
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is not a number")  # noqa: TRY004
    return float(value)


def _objects(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    items = body.get(name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError(f"{name} is not a list of objects")
    return items
