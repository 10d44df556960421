"""What the doors that show a face need of the service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from talkie.pipeline.faces import FaceInfo
    from talkie.runtime.cancel import CancelToken
    from talkie.runtime.face import AvatarCard, FaceRequest, FaceTick, Shown
    from talkie.runtime.speech import SpeakRequest
    from talkie.types import FaceChunk, Picture, Samples


class FaceSession(Protocol):
    """A live face on one clock: a tick for every 1/fps from its beginning to its end, whether it speaks or not.

    Nothing blocks but `next_tick`; all may be called from any thread. Every method but `close` raises the session's
    own error once it has ended by one.
    """

    @property
    def id(self) -> str: ...

    @property
    def info(self) -> FaceInfo: ...

    def say(self, text: str) -> int:
        """Speak this now, and no longer what was being spoken. The generation of the new utterance, from 1."""
        ...

    def write(self, text: str) -> int:
        """More of an utterance that is still being written; it begins one where none is open. Its generation."""
        ...

    def end_text(self) -> None:
        """The utterance being written is whole."""
        ...

    def change(self, spoken: SpeakRequest) -> None:
        """Later utterances are spoken so; its text is not looked at."""
        ...

    def hear(self, samples: Samples) -> None:
        """Somebody's voice, mono at 16 kHz, moves the mouth; it is not sent back. Stops what was being spoken."""
        ...

    def interrupt(self) -> Shown | None:
        """Say no more. What had been shown of what was being said; None where nothing was."""
        ...

    def shown_until(self, at_s: float) -> None:
        """The viewer has seen up to this session time: what `interrupt` reckons with. Never told: what was handed
        out."""
        ...

    def next_tick(self, timeout_s: float) -> FaceTick | None:
        """The next frame, when its time has come: never more than `ahead_s` of the request before it. None: not yet,
        or, before `timeout_s` is over, that the session has ended without an error and there will be none.

        Raises `SlowReader` when ticks were not taken for long, and the error that ended the session."""
        ...

    def wake(self, callback: Callable[[], None]) -> None:
        """`callback` is called, in some thread, whenever a tick can be taken. It must not block."""
        ...

    def finish_quietly(self) -> None:
        """End when nothing is being said any more, without an error."""
        ...

    def close(self) -> None:
        """Harmless a second time."""
        ...


class FaceService(Protocol):
    """All methods block and may be called from any thread."""

    def avatars(self, owner: str | None = None) -> Sequence[AvatarCard]:
        """All that can be shown, the built-in one first; of added ones those of `owner` (None: of everybody)."""
        ...

    def avatar_picture(self, name: str, *, owner: str | None = None) -> Picture:
        """The avatar at rest. Raises `AvatarNotFound`, `BadAvatar`."""
        ...

    def add_avatar(self, pack: IO[bytes], *, name: str = "", owner: str = "") -> AvatarCard:
        """A pack in a zip, checked and kept; `name` empty: as the pack says. Raises `BadAvatar`, `AvatarExists`,
        `StoreFull`."""
        ...

    def remove_avatar(self, name: str, *, owner: str | None = None) -> None:
        """Raises `AvatarNotFound`, also for one of somebody else."""
        ...

    def animate(
        self, source: Path | IO[bytes], request: FaceRequest, cancel: CancelToken | None = None
    ) -> Iterator[FaceChunk]:
        """A recording of any format spoken by a face, as it is made; the sound is the recording's, mono, at its own
        rate within 8 to 48 kHz. What is wrong with the request is raised before the first piece; leaving the
        generator, or setting `cancel`, stops the work. Raises the errors of `talkie.errors`."""
        ...

    def show(
        self,
        spoken: SpeakRequest,
        request: FaceRequest,
        cancel: CancelToken | None = None,
        *,
        pieces: Iterable[str] | None = None,
    ) -> Iterator[FaceChunk]:
        """A text spoken by a face; as `speak` and `animate`."""
        ...

    def face(
        self,
        spoken: SpeakRequest,
        request: FaceRequest,
        *,
        door: str,
        ahead_s: float = 0.0,
        owner: str = "",
        client: str = "",
    ) -> FaceSession:
        """A live face that has begun. `spoken` says how it speaks (its text is not looked at); frames are handed out
        at most `ahead_s` before their time. Raises `TooManySessions`, `ShuttingDown`, `AvatarNotFound`,
        `VoiceNotFound`."""
        ...
