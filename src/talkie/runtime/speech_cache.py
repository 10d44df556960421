"""Speech that was made once, kept on disk for the next who asks for the very same: bounded, private, and unreadable
to anybody who does not know what was asked.

Knows nothing of engines: it is given words for all that an answer depends on. Their hash names the entry, and another
hash of them is the key that its content is written under, so neither the text nor the speech can be read from the
disk alone. An entry is whole or is not there; one that is damaged is thrown away.

File: magic, nonce, check (SHA-256 of the key and all that follows), the length of the index; then the samples of each
piece as 16-bit PCM, and the index (JSON: the rate, and of each piece its length and marks). Pieces and index are each
written under a key stream of their own (SHAKE-256), at once: nothing plain is ever on the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from talkie.audio.encode import PCM16_SCALE, to_pcm16
from talkie.types import Mark, SpeechChunk

MAGIC = b"TKSP1\n"
_HEAD = struct.Struct("<6s16s32sI")
MAX_INDEX_BYTES = 16 << 20
MAX_ENTRIES = 20_000
MARK_BYTES = 64
"""About what a mark takes in the index."""
LARGEST_SHARE = 0.125
"""Of the whole cache, for one entry: a long book does not put out all the rest."""
KEPT_SHARE = 0.9
"""What stays when the cache is full: room is made for many at once."""
STALE_S = 3600.0
_PART = ".part-"
_INDEX = (1 << 64) - 1
"""The number of the key stream of the index; pieces count from 0."""


@dataclass(frozen=True, slots=True)
class CacheKey:
    """`name` is the entry's file, `secret` what it is written under."""

    name: str
    secret: bytes


def cache_key(words: Sequence[Any]) -> CacheKey:
    """From all that the answer depends on, text included."""
    whole = json.dumps([str(word) for word in words], ensure_ascii=True).encode()
    return CacheKey(hashlib.sha256(b"name\n" + whole).hexdigest(), hashlib.sha256(b"secret\n" + whole).digest())


class SpeechCache:
    """At most `max_bytes` in `directory`; what was not asked for longest goes first. Faults of the disk are no errors:
    nothing is found, or nothing is kept."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self.directory = directory
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._bytes: int | None = None
        self._entries = 0

    @property
    def is_on(self) -> bool:
        return self._max_bytes > 0

    def find(self, key: CacheKey) -> list[SpeechChunk] | None:
        """The pieces as they were made, with generation 0; None where there are none."""
        path = self.directory / key.name
        try:
            data = path.read_bytes() if path.stat().st_size <= self._largest else b""
        except OSError:
            return None
        chunks = _read(data, key)
        with suppress(OSError):
            if chunks is None:
                path.unlink()
            else:
                os.utime(path)
        return chunks

    def writer(self, key: CacheKey | None) -> Writer:
        """Somewhere to put what is made; None: nowhere."""
        return Writer(self, key, self._largest)

    @property
    def _largest(self) -> int:
        return int(self._max_bytes * LARGEST_SHARE)

    # -- for writers -----------------------------------------------------------------------------------------------

    def open_part(self) -> tuple[Path, BinaryIO]:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.directory / f"{_PART}{secrets.token_hex(8)}"
        return path, os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")

    def take_in(self, part: Path, name: str) -> None:
        size_bytes = part.stat().st_size
        part.replace(self.directory / name)
        with self._lock:
            if self._bytes is not None:
                self._bytes += size_bytes
                self._entries += 1
            if self._bytes is None or self._bytes > self._max_bytes or self._entries > MAX_ENTRIES:
                self._make_room()

    def _make_room(self) -> None:
        """Count what is there, and take the oldest away where it is too much."""
        found: list[tuple[float, int, Path]] = []
        for item in os.scandir(self.directory):
            with suppress(OSError):
                status = item.stat(follow_symlinks=False)
                if not item.name.startswith(_PART):
                    found.append((status.st_mtime, status.st_size, Path(item.path)))
                elif time.time() - status.st_mtime > STALE_S:
                    Path(item.path).unlink()
        found.sort(key=lambda one: one[0])
        total, entries = sum(size for _, size, _ in found), len(found)
        if total > self._max_bytes or entries > MAX_ENTRIES:
            for _, size, path in found:
                if total <= self._max_bytes * KEPT_SHARE and entries <= MAX_ENTRIES * KEPT_SHARE:
                    break
                with suppress(OSError):
                    path.unlink()
                    total, entries = total - size, entries - 1
        self._bytes, self._entries = total, entries


class Writer:
    """One entry being made; as a context manager it takes the file away where it was not finished."""

    def __init__(self, cache: SpeechCache, key: CacheKey | None, largest_bytes: int) -> None:
        self._cache, self._key = cache, key if cache.is_on else None
        self._left = largest_bytes
        self._nonce = secrets.token_bytes(16)
        self._check = _Check(key, self._nonce) if key else None
        self._rate = 0
        self._pieces: list[list[Any]] = []
        self._part: tuple[Path, BinaryIO] | None = None

    def add(self, chunk: SpeechChunk) -> None:
        if self._key is None:
            return
        data = to_pcm16(chunk.samples).tobytes()
        self._left -= len(data) + MARK_BYTES * len(chunk.marks)
        if self._left < 0 or self._rate not in (0, chunk.sample_rate):
            self._give_up()
            return
        self._rate = chunk.sample_rate
        self._write(data, len(self._pieces))
        marks = [[mark.kind, mark.text, mark.start_s, mark.end_s, mark.estimated] for mark in chunk.marks]
        self._pieces.append([len(chunk.samples), marks])

    def finish(self) -> None:
        """All of it has come: from now on it can be found."""
        if self._key is None or not self._pieces:
            return
        index = json.dumps({"rate": self._rate, "pieces": self._pieces}, ensure_ascii=False).encode()
        self._write(index, _INDEX)
        if self._key is None or self._part is None or self._check is None:
            return
        path, file = self._part
        try:
            with file:
                file.seek(0)
                file.write(_HEAD.pack(MAGIC, self._nonce, self._check.digest(len(index)), len(index)))
            self._cache.take_in(path, self._key.name)
            self._part = None
        except OSError:
            self._give_up()

    def _write(self, data: bytes, number: int) -> None:
        if self._key is None or self._check is None:
            return
        sealed = _under_key(data, self._key.secret, self._nonce, number)
        self._check.add(sealed)
        try:
            if self._part is None:
                self._part = self._cache.open_part()
                self._part[1].write(bytes(_HEAD.size))
            self._part[1].write(sealed)
        except OSError:
            self._give_up()

    def _give_up(self) -> None:
        self._key = None
        self._pieces.clear()
        if self._part is not None:
            path, file = self._part
            self._part = None
            with suppress(OSError):
                file.close()
            with suppress(OSError):
                path.unlink()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._give_up()


class _Check:
    """The hash that says whether an entry is whole and was written under this key."""

    def __init__(self, key: CacheKey, nonce: bytes) -> None:
        self._hash = hashlib.sha256(b"check\n" + key.secret + nonce)

    def add(self, data: bytes) -> None:
        self._hash.update(data)

    def digest(self, index_bytes: int) -> bytes:
        whole = self._hash.copy()
        whole.update(struct.pack("<I", index_bytes))
        return whole.digest()


def _read(data: bytes, key: CacheKey) -> list[SpeechChunk] | None:
    """None where it is not whole, or was not written under this key."""
    if len(data) < _HEAD.size:
        return None
    magic, nonce, written, index_bytes = _HEAD.unpack_from(data)
    body = data[_HEAD.size :]
    if magic != MAGIC or index_bytes > min(len(body), MAX_INDEX_BYTES):
        return None
    check = _Check(key, nonce)
    check.add(body)
    if not secrets.compare_digest(written, check.digest(index_bytes)):
        return None
    end = len(body) - index_bytes
    index = json.loads(_under_key(body[end:], key.secret, nonce, _INDEX))
    return list(_chunks(index, body[:end], key, nonce))


def _chunks(index: dict[str, Any], sealed: bytes, key: CacheKey, nonce: bytes) -> Iterator[SpeechChunk]:
    at = 0
    for number, (length, marks) in enumerate(index["pieces"]):
        pcm = _under_key(sealed[at : at + 2 * length], key.secret, nonce, number)
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(PCM16_SCALE)
        yield SpeechChunk(samples, index["rate"], tuple(Mark(*mark) for mark in marks))
        at += 2 * length


def _under_key(data: bytes, secret: bytes, nonce: bytes, number: int) -> bytes:
    """To the key stream and back: the same both ways."""
    stream = hashlib.shake_256(secret + nonce + struct.pack("<Q", number)).digest(len(data))
    return (np.frombuffer(data, np.uint8) ^ np.frombuffer(stream, np.uint8)).tobytes()
