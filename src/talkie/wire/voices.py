"""Voices as JSON, and the form that makes one. Pure; knows nothing of recordings or engines.

OpenAI publishes how a voice is made and removed, but no list of voices. Of the lists that other servers give, clients
read `voices`, and some `data`: both are here, and are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from talkie.errors import InvalidValue, UnsupportedByModel
from talkie.text.languages import parse_language
from talkie.wire.fields import FALSE, Fields

if TYPE_CHECKING:
    from talkie.runtime.speech import VoiceCard

RECORDING_FIELDS = ("audio_sample", "file")
"""OpenAI's name for the part with the recording, and the one of our other calls."""
MAX_NAME, MAX_CONSENT = 64, 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class VoiceCall:
    """A voice to be made."""

    name: str
    language: str
    consent: str


def parse_voice(pairs: Iterable[tuple[str, str]]) -> VoiceCall:
    """The fields of the form. Raises `InvalidValue`, also for a voice whose owner has not agreed."""
    fields = Fields(pairs)
    if fields.text("type").lower() not in ("", "audio_sample"):
        raise UnsupportedByModel("type", "A voice is made from a recording here.", hint="Send the part audio_sample.")
    name = fields.text("name")
    if not name or len(name) > MAX_NAME or _CONTROL.search(name):
        raise InvalidValue("name", f"name is a text of 1 to {MAX_NAME} characters.")
    consent = fields.text("consent")
    if consent.lower() in FALSE or len(consent) > MAX_CONSENT:
        raise InvalidValue(
            "consent",
            "The person whose voice this is must have agreed.",
            hint="Say so with consent=yes, or the name of where their consent is kept.",
        )
    return VoiceCall(name, parse_language(fields.text("language")) or "en", consent)


def voice(card: VoiceCard) -> dict[str, Any]:
    return {
        "id": card.id,
        "name": card.name,
        "object": "audio.voice",
        "languages": list(card.languages),
        "model": card.model,
        "engine": card.engine,
        "cloned": card.cloned,
    }


def voice_list(cards: Iterable[VoiceCard]) -> dict[str, Any]:
    voices = [voice(card) for card in cards]
    return {"object": "list", "voices": voices, "data": voices}


def voice_made(card: VoiceCard, created_s: float) -> dict[str, Any]:
    return {**voice(card), "created_at": int(created_s), "type": "audio_sample"}


def voice_deleted(voice_id: str) -> dict[str, Any]:
    return {"id": voice_id, "object": "audio.voice.deleted", "deleted": True}
