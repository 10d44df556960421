"""One live session for hours of sound, fed as fast as the server takes it: does anything grow, and does silence speak?

Speech with pauses first, then digital silence, then low noise. What was sent stays at most `AHEAD_S` before what the
server says that it has heard, for sockets have room for minutes of sound. Every so many seconds memory, processor time,
threads and lag are written down; a quantity is flat when its mean over the last third of the speech is within a stated
margin of that over the first third. The first minute is left out: buffers and caches fill then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
import numpy as np

from talkie.bench.live_client import MAX_MESSAGE_BYTES, READY_S, Wish
from talkie.bench.live_costs import Card, cards
from talkie.bench.live_events import seen
from talkie.bench.live_sound import PAUSE_S, sound_of
from talkie.bench.machine import family, processor_seconds, resident_bytes, threads
from talkie.bench.recordings import Recording
from talkie.bench.report import table
from talkie.errors import EngineFailed, ServerUnreachable
from talkie.types import SAMPLE_RATE_HZ, Samples

PIECE_S, ASK_AGAIN_S = 0.2, 0.05
LOOK_S, AHEAD_S, STUCK_S = 10.0, 15.0, 120.0
WARM_S = 60.0
DRAIN_S = 300.0
NOISE_RMS = 0.001
"""60 dB below full scale: a quiet room through a cheap microphone."""
CPU_MARGIN, MEMORY_MARGIN, LAG_MARGIN_S = 0.15, 0.05, 1.0
PHASES = ("speech", "silence", "noise")


@dataclass(frozen=True, slots=True)
class SoakTask:
    """Seconds of speech, and of silence and noise each. `pid` is the server's process, None for one elsewhere."""

    wish: Wish
    recordings: Sequence[Recording]
    speech_s: float
    silence_s: float = 0.0
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """The state after `heard_s` seconds of sound. `events` counts texts and utterances so far."""

    phase: str
    heard_s: float
    wall_s: float
    processor_s: float
    resident_mb: float
    threads: int
    lag_s: float | None
    events: int


@dataclass(frozen=True, slots=True)
class Change:
    """A figure over the first and over the last third of the speech, and whether that counts as flat."""

    name: str
    first: float
    last: float
    flat: bool


@dataclass(slots=True)
class SoakResult:
    looks: list[Look] = field(default_factory=list)
    utterances: int = 0
    finals: int = 0
    silent_events: int = 0
    """Events after the last utterance of speech had its final."""
    failed: str = ""

    @property
    def changes(self) -> list[Change]:
        looks = [one for one in self.looks if one.phase == "speech" and one.heard_s >= WARM_S]
        third = len(looks) // 3
        return list(_changes(looks[: third + 1], looks[-third - 1 :])) if third else []

    @property
    def flat(self) -> bool:
        answered = self.finals == self.utterances and not self.failed
        return answered and not self.silent_events and all(one.flat for one in self.changes)

    def as_json(self) -> dict[str, Any]:
        margins = {"cpu": CPU_MARGIN, "memory": MEMORY_MARGIN, "lag_s": LAG_MARGIN_S}
        return {
            "flat": self.flat,
            "utterances": self.utterances,
            "finals": self.finals,
            "silent_events": self.silent_events,
            "failed": self.failed,
            "changes": [asdict(one) for one in self.changes],
            "margins": margins,
            "looks": [asdict(one) for one in self.looks],
        }


def _changes(first: Sequence[Look], last: Sequence[Look]) -> Iterator[Change]:
    cpu = [_rate(looks, "processor_s") for looks in (first, last)]
    if cpu[0]:
        yield Change("CPU s / audio s", cpu[0], cpu[1], cpu[1] <= cpu[0] * (1 + CPU_MARGIN))
    for name, value, margin in (("resident MB", "resident_mb", MEMORY_MARGIN), ("threads", "threads", 0.0)):
        means = [float(np.mean([getattr(one, value) for one in looks])) for looks in (first, last)]
        if means[0]:
            yield Change(name, means[0], means[1], means[1] <= means[0] * (1 + margin) + 0.5)
    wall = [_rate(looks, "wall_s") for looks in (first, last)]
    yield Change("wall s / audio s", wall[0], wall[1], wall[1] <= wall[0] * (1 + CPU_MARGIN))
    lag = [[one.lag_s for one in looks if one.lag_s is not None] for looks in (first, last)]
    if all(lag):
        means = [float(np.mean(values)) for values in lag]
        yield Change("lag s", means[0], means[1], means[1] <= means[0] + LAG_MARGIN_S)


def _rate(looks: Sequence[Look], name: str) -> float:
    spent = float(getattr(looks[-1], name) - getattr(looks[0], name))
    return spent / max(looks[-1].heard_s - looks[0].heard_s, 1e-9)


def measure(task: SoakTask, progress: Callable[[str], None] = lambda _: None) -> SoakResult:
    """Raises `ServerUnreachable`; what the server says against it is in the result."""
    return asyncio.run(_Soak(task, progress).run())


class _Soak:
    def __init__(self, task: SoakTask, progress: Callable[[str], None]) -> None:
        self._task, self._progress = task, progress
        self._result = SoakResult()
        self._events, self._began, self._quiet_from = 0, 0.0, float("inf")
        self._answered = asyncio.Event()
        self._answered.set()
        self._http = httpx.Client(base_url=task.wish.url, timeout=5.0, trust_env=False)

    async def run(self) -> SoakResult:
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed, InvalidHandshake

        wish = self._task.wish
        headers = {"Authorization": f"Bearer {wish.api_key}"} if wish.api_key else {}
        try:
            async with connect(
                wish.socket_url,
                compression=None,
                ping_interval=None,
                max_size=MAX_MESSAGE_BYTES,
                additional_headers=headers,
                proxy=None,
            ) as socket:
                await asyncio.wait_for(socket.recv(), READY_S)
                self._began = time.monotonic()
                reading = asyncio.create_task(self._read(socket))
                await self._send(socket)
                await asyncio.wait_for(reading, DRAIN_S)
        except (ConnectionClosed, InvalidHandshake, TimeoutError) as error:
            self._result.failed = self._result.failed or f"{type(error).__name__}: {error}"[:200]
        except OSError as error:
            raise ServerUnreachable(wish.url, str(error)) from error
        finally:
            self._http.close()
        return self._result

    async def _send(self, socket: Any) -> None:
        sent_s, looked_s = 0.0, 0.0
        for phase, piece in sound(self._task):
            if phase != "speech" and self._quiet_from > sent_s:
                self._quiet_from = sent_s
                await self._settled()
            await socket.send(np.clip(np.round(piece * 32768), -32768, 32767).astype("<i2").tobytes())
            sent_s += len(piece) / SAMPLE_RATE_HZ
            if sent_s >= looked_s + LOOK_S:
                looked_s = sent_s
                heard = await asyncio.to_thread(self._catch_up, sent_s)
                self._result.looks.append(await asyncio.to_thread(self._look, phase, sent_s, heard))
                self._tell(phase, sent_s)
        await socket.send(self._task.wish.dialect.end())

    async def _settled(self) -> None:
        """Wait for the finals of all that was said: silence is heard so fast that it would be over before them."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._answered.wait(), STUCK_S)

    def _catch_up(self, sent_s: float) -> Card | None:
        """Wait for the server. None where it does not tell how far it is."""
        until = time.monotonic() + STUCK_S
        while time.monotonic() < until:
            found = cards(self._http)
            if not found:
                return None
            if found[-1].heard_s >= sent_s - AHEAD_S:
                return found[-1]
            time.sleep(ASK_AGAIN_S)
        raise TimeoutError(f"it heard nothing for {STUCK_S:g} s")

    async def _read(self, socket: Any) -> None:
        async for message in socket:
            try:
                one = seen(message, 0.0)
            except (ValueError, KeyError, TypeError) as error:
                raise EngineFailed("server", f"a message was not as expected: {error!r}") from error
            if one.kind == "error":
                self._result.failed = one.text or "error"
            if one.kind in ("started", "partial", "final"):
                self._events += 1
                self._result.utterances += one.kind == "started"
                self._result.finals += one.kind == "final"
                if self._result.finals >= self._result.utterances:
                    self._answered.set()
                else:
                    self._answered.clear()
                self._result.silent_events += one.span.start_s >= self._quiet_from
            if one.kind == "done":
                return

    def _look(self, phase: str, sent_s: float, heard: Card | None) -> Look:
        pid = self._task.pid
        members = family(pid) if pid else []
        return Look(
            phase,
            round(heard.heard_s if heard else sent_s, 1),
            round(time.monotonic() - self._began, 2),
            round(processor_seconds(pid), 2) if pid else 0.0,
            round(sum(map(resident_bytes, members)) / 1e6, 1),
            sum(map(threads, members)),
            heard.lag_s if heard else None,
            self._events,
        )

    def _tell(self, phase: str, sent_s: float) -> None:
        if len(self._result.looks) % 30 == 0:
            self._progress(f"{phase}: {sent_s / 60:.0f} minutes sent")


def sound(task: SoakTask) -> Iterator[tuple[str, Samples]]:
    """All of it in small pieces, each with the name of its phase; the speech ends with a pause."""
    yield from (("speech", piece) for piece in _pieces(_speech(task.recordings, task.speech_s)))
    silence = np.zeros(round(PIECE_S * SAMPLE_RATE_HZ), np.float32)
    yield from (("silence", silence) for _ in range(round(task.silence_s / PIECE_S)))
    noise = np.random.default_rng(0)
    for _ in range(round(task.silence_s / PIECE_S)):
        yield "noise", noise.normal(0.0, NOISE_RMS, len(silence)).astype(np.float32)


def _speech(recordings: Sequence[Recording], seconds: float) -> Iterator[Samples]:
    spoken = [sound_of(one.path) for one in recordings]
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    sent, number = 0, 0
    while sent < seconds * SAMPLE_RATE_HZ:
        piece = np.concatenate([spoken[number % len(spoken)], pause])
        sent, number = sent + len(piece), number + 1
        yield piece


def _pieces(sounds: Iterator[Samples]) -> Iterator[Samples]:
    step = round(PIECE_S * SAMPLE_RATE_HZ)
    for one in sounds:
        yield from (one[at : at + step] for at in range(0, len(one), step))


def as_table(result: SoakResult) -> str:
    rows = [(one.name, f"{one.first:.3f}", f"{one.last:.3f}", "yes" if one.flat else "NO") for one in result.changes]
    text = table(("speech", "first third", "last third", "flat"), rows)
    margins = (
        f"Flat: processor and wall time at most {100 * CPU_MARGIN:.0f} % more, memory {100 * MEMORY_MARGIN:.0f} %, "
        f"no more threads, lag {LAG_MARGIN_S:g} s."
    )
    last = result.looks[-1] if result.looks else None
    said = (
        f"{result.utterances} utterances, {result.finals} finals; {result.silent_events} events in silence and noise."
    )
    if last is not None:
        said += f" {last.heard_s / 60:.0f} minutes of sound in {last.wall_s / 60:.1f}."
    return "\n\n".join([text, margins, said] + ([f"It FAILED: {result.failed}"] if result.failed else []))
