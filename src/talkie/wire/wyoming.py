"""Wyoming's framing: bytes in, events out, and back. Knows nothing of what the events mean.

An event is one line of JSON (`type`, sometimes `data`, `data_length`, `payload_length`), then `data_length` bytes of
more JSON, then `payload_length` bytes of sound. Every part has a bound, and what breaks one is an error, not an end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from talkie.errors import BadRequestBody

MAX_HEADER_BYTES = 64 * 1024
MAX_DATA_BYTES = 1024 * 1024
"""A text to be spoken is data."""
MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
"""Two minutes of 16 kHz sound in one piece; clients send a tenth of a second."""
MAX_TYPE_CHARS = 64
HINT = "Each event is a line of JSON with its lengths, then data, then payload."


@dataclass(frozen=True, slots=True)
class Event:
    """`data` is a JSON object, `payload` sound."""

    type: str
    data: dict[str, Any] = field(default_factory=dict)
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class _Header:
    type: str
    data: dict[str, Any]
    data_length: int
    payload_length: int

    @property
    def rest(self) -> int:
        return self.data_length + self.payload_length


class EventReader:
    """Bytes as they come, cut anywhere. After an error nothing more can be read: where the next event begins is lost.

    `data` is held once: `feed` what came, then `next` until it gives None.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._header: _Header | None = None

    @property
    def is_between(self) -> bool:
        """Whether the last event was whole: a stream may end here."""
        return self._header is None and not self._buffer

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next(self) -> Event | None:
        """The next whole event; None until more bytes come. Raises `BadRequestBody`."""
        if self._header is None:
            line = self._line()
            if line is None:
                return None
            self._header = _header(line)
        header = self._header
        if len(self._buffer) < header.rest:
            return None
        more = bytes(self._buffer[: header.data_length])
        payload = bytes(self._buffer[header.data_length : header.rest])
        del self._buffer[: header.rest]
        self._header = None
        return Event(header.type, {**header.data, **(_object(more, "data") if more else {})}, payload)

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n", self._searched, MAX_HEADER_BYTES + 1)
        if end < 0:
            self._searched = len(self._buffer)
            if self._searched > MAX_HEADER_BYTES:
                raise _bad(f"a header is longer than {MAX_HEADER_BYTES} bytes.")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line


def encode(event: Event) -> bytes:
    """The event as it goes over the wire."""
    data = _json(event.data) if event.data else b""
    header: dict[str, Any] = {"type": event.type}
    if data:
        header["data_length"] = len(data)
    if event.payload:
        header["payload_length"] = len(event.payload)
    return b"".join((_json(header), b"\n", data, event.payload))


def _header(line: bytes) -> _Header:
    found = _object(line, "a header")
    kind = found.get("type")
    if not isinstance(kind, str) or not 0 < len(kind) <= MAX_TYPE_CHARS:
        raise _bad("a header has no type.")
    data = found.get("data")
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise _bad("the data of an event is no object.")
    return _Header(
        kind, data, _length(found, "data_length", MAX_DATA_BYTES), _length(found, "payload_length", MAX_PAYLOAD_BYTES)
    )


def _length(header: dict[str, Any], name: str, most: int) -> int:
    value = header.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise _bad(f"{name} is a whole number from 0 to {most}.")
    return value


def _object(text: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # not UTF-8 is a ValueError too
        raise _bad(f"{what} is not JSON.") from None
    if not isinstance(found, dict):
        raise _bad(f"{what} is no JSON object.")
    return found


def _bad(detail: str) -> BadRequestBody:
    return BadRequestBody(detail, hint=HINT)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
