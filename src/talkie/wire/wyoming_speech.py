"""What Wyoming's events of speech synthesis mean, in Talkie's words. Pure: events in, requests out, and sound back.

Knows nothing of bytes or sockets. The names are those of the `wyoming` package; fields that it may add one day are
ignored, and a field known here with a wrong value is an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from talkie import __version__
from talkie.errors import InvalidValue
from talkie.runtime.speech import SpeakRequest, VoiceCard
from talkie.wire.speech_fields import shown_language, spoken_language
from talkie.wire.wyoming import Event
from talkie.wire.wyoming_events import AUDIO_CHUNK, AUDIO_START, AUDIO_STOP, artifact

SYNTHESIZE, SYNTHESIZE_START = "synthesize", "synthesize-start"
SYNTHESIZE_CHUNK, SYNTHESIZE_STOP = "synthesize-chunk", "synthesize-stop"
ASKED = frozenset({SYNTHESIZE, SYNTHESIZE_START, SYNTHESIZE_CHUNK, SYNTHESIZE_STOP})
HINT = "A text comes as synthesize, or from synthesize-start to synthesize-stop; not within an utterance."
TEXT_FORMATS = {"": False, "text": False, "ssml": True}
"""Whether it is SSML."""
WIDTH_BYTES = 2
MAX_NAME = 256


def speak_request(data: dict[str, Any]) -> SpeakRequest:
    """Of a `synthesize`, or without a text of a `synthesize-start`. Raises `InvalidValue`.

    There are no keys here: the voices are those that belong to nobody.
    """
    voice = data.get("voice")
    if voice is None:
        voice = {}
    if not isinstance(voice, dict):
        raise InvalidValue("voice", "voice is an object with a name or a language.")
    name = text(voice, "name").strip()
    if len(name) > MAX_NAME:
        raise InvalidValue("voice", f"The name of a voice has at most {MAX_NAME} characters.")
    text_format = text(data, "text_format").strip().lower()
    if text_format not in TEXT_FORMATS:
        raise InvalidValue("text_format", "text_format is text or ssml.")
    return SpeakRequest(
        text=text(data, "text"),
        voice=name,
        language=None if name else spoken_language(text(voice, "language")),
        ssml=TEXT_FORMATS[text_format],
        owner="",
    )


def text(data: dict[str, Any], name: str = "text") -> str:
    """As it is, but for half a character, which becomes one that is missing. Raises `InvalidValue`."""
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidValue(name, f"{name} is a text.")
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def audio_start(sample_rate: int) -> Event:
    return Event(AUDIO_START, _format(sample_rate))


def audio_chunk(sample_rate: int, pcm: bytes) -> Event:
    """Mono, 16 bits."""
    return Event(AUDIO_CHUNK, _format(sample_rate), pcm)


def audio_stop() -> Event:
    return Event(AUDIO_STOP)


def synthesize_stopped() -> Event:
    return Event("synthesize-stopped")


def program(voices: Iterable[VoiceCard]) -> list[dict[str, Any]]:
    """What can be asked for, as `info` has it; nothing where there is no voice."""
    listed = [_voice(card) for card in voices]
    about = artifact("talkie", "Talkie, a speech server of your own", __version__)
    return [{**about, "voices": listed, "supports_synthesize_streaming": True}] if listed else []


def _voice(card: VoiceCard) -> dict[str, Any]:
    languages = list(dict.fromkeys(shown_language(tag) for tag in card.languages))
    return {**artifact(card.id, f"{card.name} ({card.model})", None), "languages": languages, "speakers": None}


def _format(sample_rate: int) -> dict[str, Any]:
    return {"rate": sample_rate, "width": WIDTH_BYTES, "channels": 1}
