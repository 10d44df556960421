"""What is asked of the service that speaks, and what it tells of its voices. Doors map their protocol to these."""

from __future__ import annotations

from dataclasses import dataclass

from talkie.runtime.turns import Priority

LONG_CHARACTERS = 2000
"""About two minutes of speech: whoever sends more does not sit and wait for the first word."""


@dataclass(frozen=True, slots=True)
class SpeakRequest:
    """A text to be spoken, of any length. `language` None: that of the voice, else as the text looks.

    `speed` is 0.25 to 4.0. `ssml`: the text is SSML (docs/speech.md); a text that begins with `<speak` is taken for it
    as well. `instructions` say how it should sound, to engines that can be told. `visemes`: marks of mouth shapes too.
    `cache` None: as the server does it. `generation` is handed back with every piece. `align`: word times by our own
    recogniser where the engine gives none, which takes time; else they are spread by letters. `owner` is the name of
    the caller's key, who may use voices made from recordings of its own; None: of everybody.
    """

    text: str
    model: str = "auto"
    voice: str = ""
    language: str | None = None
    speed: float = 1.0
    ssml: bool = False
    instructions: str = ""
    visemes: bool = False
    cache: bool | None = None
    priority: Priority | None = None
    generation: int = 0
    align: bool = False
    owner: str | None = None

    @property
    def priority_or_usual(self) -> Priority:
        """The one asked for; else long texts let short ones go before."""
        return self.priority or ("batch" if len(self.text) > LONG_CHARACTERS else "interactive")


@dataclass(frozen=True, slots=True)
class VoiceCard:
    """One voice that can be asked for by `id`; `model` is what speaks with it. `cloned`: made from a recording."""

    id: str
    name: str
    languages: tuple[str, ...]
    model: str
    engine: str
    cloned: bool = False
