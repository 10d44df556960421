"""What the lines of drawn faces and of faces from mouth pictures have in common: when which picture is certain.

Knows nothing of how a picture is made: a `Show` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from talkie.pipeline.face_track import AT_REST, LOOKAHEAD_S, Moment, MouthTrack
from talkie.pipeline.faces import frames_of
from talkie.types import Mark, Picture, Samples


class Show(Protocol):
    """Makes pictures one after the other."""

    def picture(self, moment: Moment) -> Picture:
        """The next picture, and its idle motion with it."""
        ...

    def leave(self) -> None:
        """What comes next does not follow from what was shown: get there smoothly."""
        ...


@dataclass(slots=True)
class _Said:
    """One utterance, and the picture that is next."""

    track: MouthTrack
    next: int = 0


class TrackLine:
    """A `FaceLine` over a `Show`. `drop` may come from another thread: an iterator then ends at its next picture."""

    def __init__(self, show: Show, fps: float) -> None:
        self._show, self._fps = show, fps
        self._said = _Said(MouthTrack(fps))

    def feed(self, samples: Samples, marks: Sequence[Mark] = ()) -> Iterator[Picture]:
        said = self._said
        said.track.feed(samples, marks)
        return self._pictures(said, int((said.track.seconds - LOOKAHEAD_S) * self._fps + 1e-6))

    def finish(self) -> Iterator[Picture]:
        said = self._said
        said.track.finish()
        return self._last(said)

    def drop(self) -> None:
        self._said = _Said(MouthTrack(self._fps))
        self._show.leave()

    def idle(self) -> Picture:
        return self._show.picture(AT_REST)

    def close(self) -> None:
        self.drop()

    def _pictures(self, said: _Said, until: int) -> Iterator[Picture]:
        while said is self._said and said.next < until:
            moment = said.track.moment(said.next)
            said.next += 1
            yield self._show.picture(moment)

    def _last(self, said: _Said) -> Iterator[Picture]:
        yield from self._pictures(said, frames_of(said.track.seconds, self._fps))
        if said is self._said:
            self.drop()
