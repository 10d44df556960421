"""One recording through each door, for its text: the smallest clients there can be. Knows nothing of what is measured.

listen    sound at speaking pace over /v1/listen
realtime  the same over /v1/realtime, 24 kHz in base64
sse       a file, its text as it is heard
wyoming   the TCP protocol of Home Assistant; `url` is tcp://host:port
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from talkie.bench.live_client import DRAIN_S, Wish, speak
from talkie.bench.live_sound import Cut, sound_of
from talkie.bench.recordings import Recording
from talkie.client import Client
from talkie.errors import EngineFailed, InvalidValue
from talkie.types import SAMPLE_RATE_HZ, Transcript

Hear = Callable[[Recording, Wish], str]
REALTIME_HZ, REALTIME_STEP = 24_000, 2400
WYOMING_STEP = 3200
COMPLETED = "conversation.item.input_audio_transcription.completed"


def door(name: str) -> Hear:
    """Raises `InvalidValue`."""
    if name not in _DOORS:
        raise InvalidValue("words", f"There is no door {name[:40]!r} here.", hint=f"One of: {', '.join(_DOORS)}.")
    return _DOORS[name]


def _listen(recording: Recording, wish: Wish) -> str:
    """Without a silence before: the first word must not need one."""
    sound = np.frombuffer(_pcm(recording, SAMPLE_RATE_HZ), np.int16)
    [log] = speak([Cut(sound, (), np.zeros(0, np.float32))], wish)
    if log.failed:
        raise EngineFailed("listen", log.failed)
    return " ".join(one.text for one in log.seen if one.kind == "final")


def _sse(recording: Recording, wish: Wish) -> str:
    with Client(wish.url, wish.api_key) as client:
        pieces = client.stream(recording.path, model=wish.model, language=wish.language)
        return "".join(piece for piece in pieces if not isinstance(piece, Transcript))


def _realtime(recording: Recording, wish: Wish) -> str:
    return asyncio.run(_over_realtime(recording, wish))


async def _over_realtime(recording: Recording, wish: Wish) -> str:
    from websockets.asyncio.client import connect

    parts = urlsplit(wish.url)
    url = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}/v1/realtime?intent=transcription"
    headers = {"Authorization": f"Bearer {wish.api_key}"} if wish.api_key else {}
    transcription = {"language": wish.language, **({"model": wish.model} if wish.model else {})}
    # the client says where it ends: turns of the server's would leave open which answer is the last
    session = {"type": "transcription", "audio": {"input": {"transcription": transcription, "turn_detection": None}}}
    async with connect(url, additional_headers=headers, max_size=None, proxy=None) as found:
        await found.send(json.dumps({"type": "session.update", "session": session}))
        for piece in _pieces(_pcm(recording, REALTIME_HZ), 2 * REALTIME_STEP):
            audio = base64.b64encode(piece).decode()
            await found.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        await found.send(json.dumps({"type": "input_audio_buffer.commit"}))
        async with asyncio.timeout(DRAIN_S):
            async for message in found:
                event = json.loads(message)
                if event["type"] == COMPLETED:
                    return str(event["transcript"])
                if event["type"] == "error":
                    raise EngineFailed("realtime", str(event["error"].get("code")))
    raise EngineFailed("realtime", "it ended without a transcript")


def _wyoming(recording: Recording, wish: Wish) -> str:
    host = urlsplit(wish.url).hostname or "127.0.0.1"
    sound = {"rate": SAMPLE_RATE_HZ, "width": 2, "channels": 1}
    with socket.create_connection((host, wish.port), timeout=DRAIN_S) as line:
        file = line.makefile("rwb")
        _say(file, "transcribe", {"language": wish.language})
        _say(file, "audio-start", sound)
        for piece in _pieces(_pcm(recording, SAMPLE_RATE_HZ), WYOMING_STEP):
            _say(file, "audio-chunk", sound, piece)
        _say(file, "audio-stop", {})
        file.flush()
        for kind, data in _told(file):
            if kind == "transcript":
                return str(data.get("text", ""))
            if kind == "error":
                raise EngineFailed("wyoming", str(data.get("code")))
    raise EngineFailed("wyoming", "it ended without a transcript")


def _say(file: Any, kind: str, data: dict[str, Any], payload: bytes = b"") -> None:
    head = {"type": kind, "data": data, **({"payload_length": len(payload)} if payload else {})}
    file.write(json.dumps(head).encode() + b"\n" + payload)


def _told(file: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    while line := file.readline():
        head = json.loads(line)
        data = head.get("data") or {}
        if length := head.get("data_length"):
            with suppress(ValueError):
                data |= json.loads(file.read(length))
        file.read(head.get("payload_length") or 0)
        yield head["type"], data


def _pcm(recording: Recording, rate: int) -> bytes:
    import soxr

    samples = soxr.resample(sound_of(recording.path), SAMPLE_RATE_HZ, rate)
    return bytes(np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tobytes())


def _pieces(data: bytes, step: int) -> Iterator[bytes]:
    return (data[at : at + step] for at in range(0, len(data), step))


_DOORS: dict[str, Hear] = {"listen": _listen, "realtime": _realtime, "sse": _sse, "wyoming": _wyoming}
