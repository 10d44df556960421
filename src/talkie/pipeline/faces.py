"""What a face is to the pipeline: something that turns sound and its marks into pictures, one for each 1/fps.

Knows nothing of how a face is made: one is drawn (`face_drawn.py`), one is computed by a network (`face_neural.py`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from talkie.engines.base import FaceModelInfo
from talkie.types import Mark, Picture, Samples

FaceKind: TypeAlias = Literal["drawn", "pictures", "neural"]


@dataclass(frozen=True, slots=True)
class FaceInfo:
    """`lookahead_s`: how much sound after a frame must be known before it can be shown. `visemes`: it follows marks of
    mouth shapes (the Rhubarb letters of `text.visemes`); without marks it follows the loudness of the sound."""

    name: str
    kind: FaceKind
    width: int
    height: int
    fps: float = 25.0
    lookahead_s: float = 0.0
    visemes: bool = False


class Face(Protocol):
    """An avatar in memory, shared by all who show it. Safe for threads."""

    @property
    def info(self) -> FaceInfo: ...

    def open(self) -> FaceLine:
        """A face of its own for one utterance or one session; its idle motion begins at its start."""
        ...

    def close(self) -> None: ...


class FaceLine(Protocol):
    """One face on one timeline. Pictures come in order, each 1/fps long; nobody writes into one that was given.

    Every picture moves the idle motion (blinks, source frames) on by one, whatever method gave it.
    """

    def feed(self, samples: Samples, marks: Sequence[Mark] = ()) -> Iterator[Picture]:
        """More sound, mono at 16 kHz, and the marks known by now (viseme marks, seconds from the utterance's start, in
        order, each given once; a mark may come earlier than its sound, never later). Gives the pictures that are
        certain now."""
        ...

    def finish(self) -> Iterator[Picture]:
        """The utterance ends here: the rest of its pictures, so that there are `frames_of(seconds, fps)` in all. The
        line is then ready for the next utterance, whose time begins at 0 again."""
        ...

    def drop(self) -> None:
        """The utterance is no longer wanted: forget what was fed. The next picture is of a mouth on its way to rest.

        May be called from any thread: a `feed` or `finish` at work then ends soon, and gives no more that matters."""
        ...

    def idle(self) -> Picture:
        """The next picture of a face that says nothing, its mouth shut."""
        ...

    def close(self) -> None: ...


def frames_of(seconds: float, fps: float) -> int:
    """How many frames stand beside so much sound: those whose whole time is in it, and at least one."""
    return max(1, int(seconds * fps + 1e-6))


@dataclass(frozen=True, slots=True, eq=False)
class MouthItem:
    """One frame for a face network: the inner face crop `(S, S, 3)`, which nobody changes, and its 16 features as
    `(32, 16, 16)` float32. `source` names the crop where it comes again."""

    crop: Picture
    audio: NDArray[np.float32]
    source: Hashable | None = None


class Mouths(Protocol):
    """A face network as a line asks it, whoever else asks it too."""

    @property
    def info(self) -> FaceModelInfo: ...

    def encode(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `FaceModel.encode`."""
        ...

    def submit(self, items: Sequence[MouthItem]) -> Future[list[Picture]]:
        """One mouth `(S, S, 3)` for each, in order. Cancelling the future takes what waits out of the line."""
        ...
