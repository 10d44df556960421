"""Whisper on CTranslate2. Importing this package loads nothing; the recogniser comes on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talkie.engines.asr.whisper.recognizer import WhisperRecognizer

__all__ = ["WhisperRecognizer"]


def __getattr__(name: str) -> Any:
    if name == "WhisperRecognizer":
        from talkie.engines.asr.whisper.recognizer import WhisperRecognizer

        return WhisperRecognizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
