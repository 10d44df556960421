"""What the doors that speak need of the service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from talkie.runtime.cancel import CancelToken
    from talkie.runtime.speech import SpeakRequest, VoiceCard
    from talkie.types import SpeechChunk


class SpeakService(Protocol):
    """All methods block and may be called from any thread."""

    def speak(
        self, request: SpeakRequest, cancel: CancelToken | None = None, *, pieces: Iterable[str] | None = None
    ) -> Iterator[SpeechChunk]:
        """Sound with its marks as it is made; times count from the start of the whole text. All pieces have one rate.

        What is wrong with the request is raised before the first piece. `pieces` is a text that is still being
        written, in place of `request.text`: sentences are spoken as they are whole. Closing the generator, or setting
        `cancel`, stops the work at once. Raises the errors of `talkie.errors`.
        """
        ...

    def voices(self, owner: str | None = None) -> Sequence[VoiceCard]:
        """All that can be asked for; of cloned ones those of `owner` (None: of everybody)."""
        ...

    def add_voice(
        self, name: str, recording: IO[bytes], *, language: str = "en", owner: str = "", consent: str = ""
    ) -> VoiceCard:
        """A voice to be imitated, from a recording that is checked and kept, with what was said of the speaker's
        consent. Raises `AudioError`, `InvalidValue`, `VoiceExists`."""
        ...

    def remove_voice(self, voice: str, *, owner: str | None = None) -> None:
        """Raises `VoiceNotFound`, also for one of somebody else."""
        ...
