"""How a live face is to be: a plain record. Knows nothing of what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from talkie.runtime.speech import SpeakRequest


@dataclass(frozen=True, slots=True)
class FaceOptions:
    """`spoken` says how it speaks, `kind` what face it is, for what is counted. Ticks may be had `ahead_s` before their
    time; a session whose ticks nobody ever took is ended after `idle_s` without text or sound."""

    spoken: SpeakRequest
    kind: str = "drawn"
    ahead_s: float = 0.0
    idle_s: float = 300.0
