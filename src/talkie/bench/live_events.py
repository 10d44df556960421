"""What a live server tells, reduced to what is measured: when each text was there to be read.

`/v1/listen` speaks JSON; other programs' dialects are turned into the same. Knows nothing of sockets or clocks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from talkie.types import Span, Word

Kind = Literal["ready", "started", "partial", "final", "error", "done", "other"]
NOWHERE = Span(0.0, 0.0)
KINDS: tuple[Kind, ...] = ("ready", "partial", "final", "error", "done")


@dataclass(frozen=True, slots=True)
class Seen:
    """One message, and the seconds since its session began to speak.

    `text` is the utterance's so far, all of it with a final; of an error it is the code, of `ready` the model's name.
    """

    at_s: float
    kind: Kind
    utterance: int = 0
    text: str = ""
    span: Span = NOWHERE
    words: tuple[Word, ...] = ()


def seen(message: str | bytes, at_s: float) -> Seen:
    """A message of `/v1/listen`. What is not known is `other`: a newer server may say more.

    Raises `ValueError`, `TypeError`, `KeyError`.
    """
    found = json.loads(message)
    if not isinstance(found, dict):
        raise TypeError("not an object")
    kind = found.get("type")
    if kind == "speech_started":
        return Seen(at_s, "started", span=Span(float(found["at"]), float(found["at"])))
    if kind not in KINDS:
        return Seen(at_s, "other")
    if kind == "error":
        return Seen(at_s, "error", text=_code(found.get("error")))
    if kind == "ready":
        return Seen(at_s, "ready", text=str(found.get("model", "")))
    if kind == "done":
        return Seen(at_s, "done")
    span = Span(float(found["start"]), float(found["end"]))
    return Seen(at_s, kind, int(found["utterance"]), str(found["text"]), span, _words(found.get("words")))


def _code(error: Any) -> str:
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def _words(rows: Any) -> tuple[Word, ...]:
    return tuple(Word(str(row["word"]).strip(), float(row["start"]), float(row["end"])) for row in rows or ())
