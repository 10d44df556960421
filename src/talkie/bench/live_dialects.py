"""How each live server is spoken to: its address, its greeting, its frames, its end, and its answers as `Seen`.

Talkie's `/v1/listen`, and the protocols of the peers that can be measured. Knows nothing of sockets or clocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from talkie.bench.live_events import Seen, seen
from talkie.types import SAMPLE_RATE_HZ, Span


class Dialect(Protocol):
    """`frame_ms` is what the server's own client sends at once, 0: what the bench likes. `linger_s` is how long to wait
    for answers, without sound, before the end is said: some give nothing after it. `done` says that a session that came
    to its end is told so."""

    frame_ms: int
    linger_s: float
    done: bool

    def url(self, base: str, model: str, language: str) -> str: ...
    def hello(self, model: str, language: str) -> str | None: ...
    def end(self) -> str | bytes: ...
    def read(self, message: str | bytes, at_s: float) -> Iterator[Seen]:
        """Raises `ValueError`, `TypeError`, `KeyError` for what is no message."""
        ...


class Listen:
    """Talkie's own."""

    frame_ms, linger_s, done = 0, 0.0, True

    def url(self, base: str, model: str, language: str) -> str:
        asked = {"sample_rate": SAMPLE_RATE_HZ, "encoding": "pcm16", "client": "bench"}
        named = {name: value for name, value in (("model", model), ("language", language)) if value}
        return f"{socket_base(base)}/v1/listen?{urlencode(asked | named)}"

    def hello(self, model: str, language: str) -> str | None:
        return None

    def end(self) -> str | bytes:
        return '{"type": "close"}'

    def read(self, message: str | bytes, at_s: float) -> Iterator[Seen]:
        yield seen(message, at_s)


class WhisperLive:
    """collabora/WhisperLive 0.10: every message has the last segments, of which all but one are `completed`.

    It ends a session at once when it is told so, as its own clients know: they wait for a while without answers first.
    """

    frame_ms, linger_s, done = 256, 15.0, False

    def url(self, base: str, model: str, language: str) -> str:
        return socket_base(base)

    def hello(self, model: str, language: str) -> str | None:
        return json.dumps(
            {
                **{"uid": "bench", "language": language, "task": "transcribe", "model": model, "use_vad": True},
                **{"audio_format": "int16", "send_last_n_segments": 10, "same_output_threshold": 10},
            }
        )

    def end(self) -> str | bytes:
        return b"END_OF_AUDIO"

    def read(self, message: str | bytes, at_s: float) -> Iterator[Seen]:
        found = json.loads(message)
        if found.get("message") == "SERVER_READY":
            yield Seen(at_s, "ready")
        if "status" in found:
            yield Seen(at_s, "error", text=str(found["status"]))
        for one in found.get("segments") or ():
            yield _segment(one, at_s, "final" if one["completed"] else "partial")


class WhisperStreaming:
    """The runner of whisper-streaming 0.1: each answer is the words that are certain since the last one."""

    frame_ms, linger_s, done = 0, 0.0, True

    def url(self, base: str, model: str, language: str) -> str:
        return socket_base(base)

    def hello(self, model: str, language: str) -> str | None:
        return None

    def end(self) -> str | bytes:
        return "end"

    def read(self, message: str | bytes, at_s: float) -> Iterator[Seen]:
        found = json.loads(message)
        if found.get("type") in ("ready", "done"):
            yield Seen(at_s, found["type"])
        else:
            yield _segment(found, at_s, "final")


def _segment(found: dict[str, Any], at_s: float, kind: Any) -> Seen:
    """Segments have no numbers: their start is what tells them apart."""
    span = Span(float(found["start"]), float(found["end"]))
    return Seen(at_s, kind, round(1000 * span.start_s), str(found["text"]).strip(), span)


def socket_base(base: str) -> str:
    parts = urlsplit(base)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}"
