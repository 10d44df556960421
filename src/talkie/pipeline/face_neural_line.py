"""One neural face on one timeline: which frames are asked for next, and what is made of their mouths.

Knows nothing of packs, nor of how a mouth gets into its frame: its `NeuralFace` does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from talkie.pipeline.face_closed import IdleMouths
from talkie.pipeline.face_features import FaceFeatures
from talkie.pipeline.face_flights import Flights, Grounded
from talkie.pipeline.face_gate import FaceGate
from talkie.pipeline.faces import MouthItem, Mouths, frames_of
from talkie.types import SAMPLE_RATE_HZ, Mark, Picture, Samples
from talkie.video.paste import mixed
from talkie.video.source import ping_pong

if TYPE_CHECKING:
    from talkie.pipeline.face_neural import NeuralFace

FPS = 25.0
"""What the features of these networks are made for."""
_ROUNDING = 1e-3
FRAMES_A_FLIGHT = 16
"""Frames whose mouths are known go in such flights, so that none waits for long."""


@dataclass(slots=True)
class _Planned:
    """One frame: where its mouths are among those of its flight, or `shut` where that is known."""

    source: int
    gate: float
    shut: Picture | None = None
    shut_at: int | None = None
    open_at: int | None = None


@dataclass(slots=True)
class _Plan:
    """The frames of a flight, and what is asked for them. Each shut mouth is asked for alone: whoever answers may let
    one mouth of an ask stand for the next when it falls behind, and shut ones are kept."""

    frames: list[_Planned] = field(default_factory=list)
    opened: list[MouthItem] = field(default_factory=list)
    shut: list[MouthItem] = field(default_factory=list)
    shut_at: dict[int, int] = field(default_factory=dict)  # by source frame

    @property
    def asks(self) -> list[list[MouthItem]]:
        return [*([item] for item in self.shut), *([self.opened] if self.opened else [])]

    @property
    def mouths(self) -> int:
        return len(self.opened) + len(self.shut)


class NeuralLine:
    """A `FaceLine`. One thread works for it; `drop` may be called from any."""

    def __init__(self, face: NeuralFace, mouths: Mouths) -> None:
        self._face, self._mouths = face, mouths
        self._idle = IdleMouths(mouths, face.closed, face.turned)
        self._flights: Flights[_Plan] = Flights(mouths)
        self._step = 0  # of the source frames, as shown
        self._last: Picture | None = None  # the open mouth that was shown last, and how much of it
        self._level = 0.0
        self._fall = 1 / max(1.0, face.look.gate.release_s * FPS)  # a frame, where nothing opens it
        self._begin()

    # -- the utterance ---------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._features = FaceFeatures(self._mouths.encode)
        self._gate = FaceGate(self._face.detector.open(), FPS, self._face.look.gate)
        self._gates: deque[float] = deque()  # of frames that are not planned yet
        self._heard = 0
        self._planned = self._given = 0  # frames
        self._trip = self._flights.trip

    def feed(self, samples: Samples, marks: Sequence[Mark] = ()) -> Iterator[Picture]:
        self._renew()
        self._heard += len(samples)
        self._features.feed(samples)
        self._gates.extend(self._gate.feed(samples).tolist())
        return self._pictures(min(self._features.certain, self._planned + len(self._gates)))

    def finish(self) -> Iterator[Picture]:
        self._renew()
        frames = frames_of(self._heard / SAMPLE_RATE_HZ, FPS)
        self._features.finish()
        self._gates.extend(self._gate.finish(frames).tolist())
        return self._rest_of(frames)

    def _rest_of(self, frames: int) -> Iterator[Picture]:
        trip = self._trip
        yield from self._pictures(frames)
        if trip == self._flights.trip:
            self._flights.ground()

    def drop(self) -> None:
        self._flights.ground()

    def idle(self) -> Picture:
        self._renew()
        count = self._face.source.count
        places = [ping_pong(self._step + ahead, count) for ahead in range(self._idle.AHEAD)]
        shut = self._idle.rest(places)
        self._step += 1
        self._level = max(0.0, self._level - self._fall)
        return self._closing(places[0], shut)

    def close(self) -> None:
        self.drop()
        self._idle.close()

    def _renew(self) -> None:
        """What was dropped, or has ended, is forgotten."""
        if self._trip != self._flights.trip:
            self._begin()

    # -- frames ----------------------------------------------------------------------------------------------------

    def _pictures(self, until: int) -> Iterator[Picture]:
        """Frames up to that one, in order; fewer where they are dropped meanwhile."""
        trip, done = self._trip, False
        try:
            while self._planned < until or len(self._flights):
                self._launch(until, trip)
                plan, mouths = self._flights.land(trip)
                self._launch(until, trip)  # before this one is put together, so that the network does not wait
                for planned in plan.frames:
                    picture = self._made(planned, plan, mouths)
                    if trip != self._flights.trip:
                        return
                    self._step, self._given = self._step + 1, self._given + 1
                    yield picture
            done = True
        except Grounded:
            return
        finally:
            if not done and trip == self._flights.trip:
                self._flights.ground()  # left, or broken: what was fed cannot be gone on with

    def _launch(self, until: int, trip: int) -> None:
        while self._planned < until and not self._flights.full:
            plan = self._plan(until)
            self._flights.launch(plan, plan.asks, trip)

    def _plan(self, until: int) -> _Plan:
        """The next flight: at least one frame, and no more mouths than its size where that can be."""
        plan = _Plan()
        while self._planned < until and len(plan.frames) < FRAMES_A_FLIGHT:
            planned = self._next(plan)
            wants_shut = planned.gate < 1 and planned.shut is None and planned.shut_at is None
            wants = (planned.gate > 0) + wants_shut
            if plan.frames and wants and plan.mouths + wants > self._flights.size:
                break
            if planned.gate > 0:
                planned.open_at = len(plan.opened)
                plan.opened.append(self._face.item(planned.source, self._features.audio(self._planned)))
            else:
                self._features.skip(self._planned)
            if wants_shut:
                planned.shut_at = plan.shut_at[planned.source] = len(plan.shut)
                plan.shut.append(self._face.closed.item(planned.source))
            plan.frames.append(planned)
            self._gates.popleft()
            self._planned += 1
        return plan

    def _next(self, plan: _Plan) -> _Planned:
        step = self._step + self._planned - self._given
        source = ping_pong(step, self._face.source.count)
        gate = self._gates[0]
        shut = self._face.closed.known(source) if gate < 1 else None
        return _Planned(source, gate, shut, None if shut is not None else plan.shut_at.get(source))

    def _made(self, planned: _Planned, plan: _Plan, mouths: list[list[Picture]]) -> Picture:
        """The picture. What is left of an utterance that was broken off fades, whatever the new one says."""
        opened = None if planned.open_at is None else self._face.turned(mouths[len(plan.shut)][planned.open_at])
        shut = planned.shut
        if planned.shut_at is not None:
            shut = self._face.turned(mouths[planned.shut_at][0])
            self._face.closed.learn(planned.source, shut)
        gate, left = planned.gate, self._level - self._fall
        if opened is not None and gate >= left - _ROUNDING:
            self._last, self._level = opened, gate
        else:
            self._level = max(0.0, left)
        if shut is None:  # the frame is wide open
            assert self._last is not None
            return self._face.put(planned.source, self._last)
        return self._closing(planned.source, shut)

    def _closing(self, source: int, shut: Picture) -> Picture:
        """As far open as it is."""
        if self._level <= 0 or self._last is None:
            return self._face.at_rest(source, shut)
        return self._face.put(source, mixed(shut, self._last, self._level))
