"""What is asked of the service that shows, and what it tells of its avatars. Doors map their protocol to these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from talkie.runtime.turns import Priority
from talkie.types import Mark, Picture, Samples

if TYPE_CHECKING:
    from talkie.audio.formats import RawFormat
    from talkie.errors import TalkieError

LIVE_RATE_HZ = 48_000
"""The one rate of sound in a live face: 1920 samples a frame at 25 frames a second, and what Opus wants."""


@dataclass(frozen=True, slots=True)
class FaceRequest:
    """How a face is to be shown. `avatar` empty or `auto`: the server's own choice, else the built-in one.

    `width`, `height` 0: the avatar's own size; one of them: the other in proportion. `mood` is one of the avatar's.
    `owner` is the name of the caller's key, who may use avatars of its own; None: of everybody.
    """

    avatar: str = ""
    width: int = 0
    height: int = 0
    mood: str = ""
    raw: RawFormat | None = None
    priority: Priority | None = None
    generation: int = 0
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class AvatarCard:
    """One avatar that can be asked for by `name`. `kind` is drawn, pictures or neural; `problem` says why it cannot be
    shown; empty when it can. `source` is `built-in` or `added`."""

    name: str
    title: str
    kind: str
    width: int
    height: int
    fps: float
    licence: str = ""
    moods: tuple[str, ...] = ()
    size_bytes: int = 0
    source: str = "added"
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What of an utterance had been shown when it was stopped: seconds of its sound, and the words whose sound had
    ended by then, as one text. `seconds_made` is how much there was."""

    generation: int
    shown_s: float
    text: str
    seconds_made: float


@dataclass(frozen=True, slots=True, eq=False)
class FaceTick:
    """One frame of a live face and exactly its sound: `samples` are LIVE_RATE_HZ / fps samples, silence where nothing
    is said. `at_s` is session time. `generation` 0: nobody speaks. `ended` names an utterance whose last frame this
    is. `started`: the first frame of its utterance. `error`: what it ended by, before its time."""

    image: Picture
    samples: Samples
    at_s: float
    index: int
    generation: int = 0
    started: bool = False
    ended: bool = False
    error: TalkieError | None = None
    marks: tuple[Mark, ...] = field(default=())
