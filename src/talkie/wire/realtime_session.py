"""A transcription session of OpenAI's realtime API: what its client set, what that asks of us, and how it is shown.

Pure. Knows nothing of sockets, nor of how a client writes its wishes (`realtime_settings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from talkie.audio.formats import RawFormat
from talkie.runtime.requests import LiveRequest, TurnOptions
from talkie.wire.fields import MODEL_ALIASES

PCM, PCMU, PCMA = "audio/pcm", "audio/pcmu", "audio/pcma"
ENCODINGS = {PCM: "s16le", PCMU: "mulaw", PCMA: "alaw"}
OLDER_FORMATS = {"pcm16": PCM, "g711_ulaw": PCMU, "g711_alaw": PCMA}
PCM_HZ, G711_HZ = 24_000, 8_000

LOGPROBS = "item.input_audio_transcription.logprobs"
WORDS = "item.input_audio_transcription.words"
SEGMENTS = "item.input_audio_transcription.segments"
INCLUDES = (LOGPROBS, WORDS, SEGMENTS)
"""The first is OpenAI's, the others are ours: words in `completed`, and an event for every segment."""

SERVER_VAD, SEMANTIC_VAD = "server_vad", "semantic_vad"
MIN_THRESHOLD, MIN_SILENCE_MS = 0.01, 32


@dataclass(frozen=True, slots=True)
class Turns:
    """When the server ends an utterance; `eagerness` only where the client asked for `semantic_vad`."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    eagerness: str = ""

    def options(self) -> TurnOptions:
        """The ends of OpenAI's ranges mean as little, or as much, as there can be."""
        threshold = min(max(self.threshold, MIN_THRESHOLD), 1 - MIN_THRESHOLD)
        silence_ms = max(self.silence_duration_ms, MIN_SILENCE_MS)
        return TurnOptions(threshold, float(silence_ms), float(self.prefix_padding_ms))

    def view(self) -> dict[str, Any]:
        if self.eagerness:
            return {"type": SEMANTIC_VAD, "eagerness": self.eagerness}
        return {
            "type": SERVER_VAD,
            "threshold": self.threshold,
            "prefix_padding_ms": self.prefix_padding_ms,
            "silence_duration_ms": self.silence_duration_ms,
        }


@dataclass(frozen=True, slots=True)
class RealtimeSession:
    """A session as the client set it. `model` as it was named; `rate` in Hz; `turns` None: the client commits."""

    id: str
    model: str = ""
    language: str | None = None
    prompt: str = ""
    keywords: tuple[str, ...] = ()
    kind: str = PCM
    rate: int = PCM_HZ
    turns: Turns | None = Turns()
    include: tuple[str, ...] = ()

    def request(self) -> LiveRequest:
        return LiveRequest(
            model="auto" if _is_alias(self.model) else self.model,
            language=self.language,
            prompt=self.prompt,
            hotwords=self.hotwords,
            words=LOGPROBS in self.include or WORDS in self.include,
            turns=self.turns.options() if self.turns is not None else None,
            raw=self.raw,
        )

    @property
    def hotwords(self) -> str:
        return ", ".join(self.keywords)

    @property
    def raw(self) -> RawFormat:
        return RawFormat(self.rate, 1, ENCODINGS[self.kind])

    def view(self) -> dict[str, Any]:
        """The session in force, in full, as `session.created` and `session.updated` show it."""
        sound = {
            "format": {"type": self.kind, **({"rate": self.rate} if self.kind == PCM else {})},
            "noise_reduction": None,
            "transcription": self._transcription(),
            "turn_detection": self.turns.view() if self.turns is not None else None,
        }
        return {**self._head(), "type": "transcription", "audio": {"input": sound}}

    def older_view(self) -> dict[str, Any]:
        """The same, as `transcription_session.updated` shows it."""
        older = {kind: name for name, kind in OLDER_FORMATS.items()}
        return {
            **self._head(),
            "modalities": ["text"],
            "input_audio_format": older[self.kind],
            "input_audio_noise_reduction": None,
            "input_audio_transcription": self._transcription(),
            "turn_detection": self.turns.view() if self.turns is not None else None,
        }

    def _head(self) -> dict[str, Any]:
        return {"object": "realtime.transcription_session", "id": self.id, "include": list(self.include) or None}

    def _transcription(self) -> dict[str, Any]:
        more = {"keywords": list(self.keywords)} if self.keywords else {}
        return {"model": self.model or "auto", "language": self.language, "prompt": self.prompt, **more}


def _is_alias(name: str) -> bool:
    """OpenAI's own names mean whatever this server uses; but speakers apart are a promise that nobody here can keep."""
    lowered = name.lower()
    return lowered in MODEL_ALIASES or (lowered.startswith("gpt-") and "diarize" not in lowered)
