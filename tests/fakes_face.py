"""A service that shows without a face: pictures of one grey each, brighter the louder the sound, for tests of doors."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np

from talkie.errors import AvatarExists, AvatarNotFound, TalkieError
from talkie.pipeline.faces import FaceInfo, frames_of
from talkie.runtime.cancel import CancelToken
from talkie.runtime.face import LIVE_RATE_HZ, AvatarCard, FaceRequest, FaceTick, Shown
from talkie.runtime.speech import SpeakRequest
from talkie.types import FaceChunk, Mark, Picture, Samples, VideoFrame

FPS = 25.0
RATE_HZ = 24_000
SIZE = 64
BUILT_IN = AvatarCard("talkie", "Talkie", "drawn", SIZE, SIZE, FPS, "Apache-2.0", ("calm",), source="built-in")


def grey(level: float, width: int = SIZE, height: int = SIZE) -> Picture:
    return np.full((height, width, 3), int(np.clip(level, 0, 1) * 255), np.uint8)


class FakeFaceService:
    """`shown` is what was asked; `face_raises` comes before the first piece, `face_breaks` after it; `chunk_wait_s`
    passes before each piece. A recording lasts a second for every 1000 bytes; a text 0.2 s a word."""

    def __init__(
        self,
        *,
        face_raises: TalkieError | None = None,
        face_breaks: Exception | None = None,
        chunk_wait_s: float = 0.0,
    ) -> None:
        self.face_raises, self.face_breaks, self.chunk_wait_s = face_raises, face_breaks, chunk_wait_s
        self.shown: list[FaceRequest] = []
        self.packs: dict[str, tuple[AvatarCard, str]] = {}
        self.faces: list[FakeFaceSession] = []
        self.face_stopped = threading.Event()

    def avatars(self, owner: str | None = None) -> list[AvatarCard]:
        return [BUILT_IN, *(card for card, theirs in self.packs.values() if owner in (None, theirs))]

    def avatar_picture(self, name: str, *, owner: str | None = None) -> Picture:
        self._find(name, owner)
        return grey(0.5)

    def add_avatar(self, pack: IO[bytes], *, name: str = "", owner: str = "") -> AvatarCard:
        name = name or "pack"
        if name in self.packs:
            raise AvatarExists(name)
        card = replace(BUILT_IN, name=name, kind="neural", size_bytes=len(pack.read()), source="added")
        self.packs[name] = card, owner
        return card

    def remove_avatar(self, name: str, *, owner: str | None = None) -> None:
        if name not in self.packs or owner not in (None, self.packs[name][1]):
            raise AvatarNotFound(name)
        del self.packs[name]

    def _find(self, name: str, owner: str | None) -> AvatarCard:
        found = [card for card in self.avatars(owner) if name in ("", "auto", card.name)]
        if not found:
            raise AvatarNotFound(name)
        return found[0]

    def animate(
        self, source: Path | IO[bytes], request: FaceRequest, cancel: CancelToken | None = None
    ) -> Iterator[FaceChunk]:
        data = source.read_bytes() if isinstance(source, Path) else source.read()
        return self._begin(len(data) / 1000, (), request, cancel)

    def show(
        self,
        spoken: SpeakRequest,
        request: FaceRequest,
        cancel: CancelToken | None = None,
        *,
        pieces: Iterable[str] | None = None,
    ) -> Iterator[FaceChunk]:
        words = "".join(pieces if pieces is not None else [spoken.text]).split()
        marks = tuple(Mark("word", word, 0.2 * at, 0.2 * at + 0.2) for at, word in enumerate(words))
        return self._begin(0.2 * len(words), marks, request, cancel)

    def _begin(
        self, seconds: float, marks: tuple[Mark, ...], request: FaceRequest, cancel: CancelToken | None
    ) -> Iterator[FaceChunk]:
        self.shown.append(request)
        if self.face_raises is not None:
            raise self.face_raises
        self._find(request.avatar, request.owner)
        return self._chunks(seconds, marks, request, cancel or CancelToken())

    def _chunks(
        self, seconds: float, marks: tuple[Mark, ...], request: FaceRequest, cancel: CancelToken
    ) -> Iterator[FaceChunk]:
        """Pieces of five frames; the tone swells and falls twice a second."""
        width, height = request.width or SIZE, request.height or SIZE
        try:
            for first in range(0, frames_of(seconds, FPS), 5):
                time.sleep(self.chunk_wait_s)
                cancel.check()
                last = min(first + 5, frames_of(seconds, FPS))
                at = np.arange(round(first / FPS * RATE_HZ), round(last / FPS * RATE_HZ)) / RATE_HZ
                sound = (np.sin(at * 440 * 2 * np.pi) * np.sin(at * 2 * np.pi) ** 2 / 2).astype(np.float32)
                frames = tuple(
                    VideoFrame(grey(np.sin(n / FPS * 2 * np.pi) ** 2, width, height), n, request.generation)
                    for n in range(first, last)
                )
                mine = tuple(mark for mark in marks if first / FPS <= mark.start_s < last / FPS)
                yield FaceChunk(sound, RATE_HZ, frames, first / FPS, FPS, mine, request.generation)
                if self.face_breaks is not None:
                    raise self.face_breaks
        finally:
            self.face_stopped.set()

    def face(
        self,
        spoken: SpeakRequest,
        request: FaceRequest,
        *,
        door: str,
        ahead_s: float = 0.0,
        owner: str = "",
        client: str = "",
    ) -> FakeFaceSession:
        if self.face_raises is not None:
            raise self.face_raises
        self._find(request.avatar, request.owner)
        self.shown.append(request)
        self.faces.append(FakeFaceSession(f"face_{len(self.faces)}", ahead_s))
        return self.faces[-1]


class FakeFaceSession:
    """Says a word in 0.2 s; paced by the real clock."""

    def __init__(self, session_id: str, ahead_s: float) -> None:
        self.id, self.info = session_id, FaceInfo("talkie", "drawn", SIZE, SIZE, FPS)
        self.ended: Exception | None = None
        self.closed = threading.Event()
        self.heard = 0
        self.told_s: float | None = None
        self.spoken: SpeakRequest | None = None
        self._ahead_s, self._index = ahead_s, 0
        self._began_s: float | None = None  # with the first tick
        self._generation, self._words, self._at, self._open = 0, [""][:0], 0, False
        self._finishing = False
        self._lock = threading.Lock()

    def say(self, text: str) -> int:
        self.interrupt()
        generation = self.write(text)
        self.end_text()
        return generation

    def write(self, text: str) -> int:
        with self._lock:
            self._check()
            if not self._open:
                self._generation, self._words, self._at, self._open = self._generation + 1, [], 0, True
            self._words += text.split()
            return self._generation

    def end_text(self) -> None:
        self._open = False

    def change(self, spoken: SpeakRequest) -> None:
        self._check()
        self.spoken = spoken

    def hear(self, samples: Samples) -> None:
        self._check()
        self.heard += len(samples)

    def interrupt(self) -> Shown | None:
        with self._lock:
            self._check()
            if not self._words:
                return None
            shown = self._words[: self._at // 5]
            stopped = Shown(self._generation, self._at / FPS, " ".join(shown), 0.2 * len(self._words))
            self._words, self._open = [], False
            return stopped

    def shown_until(self, at_s: float) -> None:
        self.told_s = at_s

    def next_tick(self, timeout_s: float) -> FaceTick | None:
        if self._finishing and not self._words:
            return None
        self._began_s = self._began_s or time.monotonic()
        due_s = self._began_s + self._index / FPS - self._ahead_s
        wait_s = due_s - time.monotonic()
        if wait_s > timeout_s:
            time.sleep(timeout_s)
            self._check()
            return None
        time.sleep(max(0.0, wait_s))
        with self._lock:
            self._check()
            return self._tick()

    def _tick(self) -> FaceTick:
        index, self._index = self._index, self._index + 1
        length = round(LIVE_RATE_HZ / FPS)
        if not self._words:
            return FaceTick(grey(0), np.zeros(length, np.float32), index / FPS, index)
        at, self._at = self._at, self._at + 1
        tone = np.sin((np.arange(length) + at * length) / LIVE_RATE_HZ * 440 * 2 * np.pi).astype(np.float32) / 2
        marks = (Mark("word", self._words[at // 5], at / FPS, at / FPS + 0.2),) if at % 5 == 0 else ()
        ended = at + 1 == 5 * len(self._words)
        tick = FaceTick(grey(0.5), tone, index / FPS, index, self._generation, at == 0, ended, marks=marks)
        if ended and not self._open:
            self._words = []
        return tick

    def wake(self, callback: Callable[[], None]) -> None:
        """It is polled."""

    def finish_quietly(self) -> None:
        self._finishing, self._open = True, False

    def close(self) -> None:
        self.closed.set()

    def _check(self) -> None:
        if self.ended is not None:
            raise self.ended


def pack_bytes() -> IO[bytes]:
    return io.BytesIO(b"PK fake")
