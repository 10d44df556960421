"""faster-whisper as the measure of the Whisper engine: its answers in Talkie's types. For tests only."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from talkie.types import Samples, Segment, Transcript, Word


@cache
def reference_model(model_dir: Path, compute_type: str = "int8", threads: int = 1) -> Any:
    """faster-whisper's model on the processor, loaded once a process."""
    from faster_whisper import WhisperModel

    return WhisperModel(str(model_dir), device="cpu", compute_type=compute_type, cpu_threads=threads)


def reference_transcribe(model_dir: Path, samples: Samples, **options: Any) -> Transcript:
    """What faster-whisper hears in `samples` (16 kHz), one window after the other.

    `options` are those of its `WhisperModel.transcribe`. Texts come without the space before them, as ours do.
    """
    options = {"condition_on_previous_text": False, **options}
    found, info = reference_model(model_dir).transcribe(samples, **options)
    return Transcript(
        segments=tuple(to_segment(one) for one in found),
        language=info.language,
        language_probability=float(info.language_probability),
        duration_s=info.duration,
    )


def reference_seeks(model_dir: Path, samples: Samples, **options: Any) -> list[float]:
    """The seconds at which faster-whisper began each window that gave segments."""
    options = {"condition_on_previous_text": False, **options}
    found, _ = reference_model(model_dir).transcribe(samples, **options)
    return sorted({one.seek / 100 for one in found})


def to_segment(one: Any) -> Segment:
    return Segment(
        text=one.text.strip(),
        start_s=float(one.start),
        end_s=float(one.end),
        words=tuple(
            Word(word.word.strip(), float(word.start), float(word.end), float(word.probability))
            for word in one.words or ()
            if word.word.strip()
        ),
        tokens=tuple(one.tokens),
        avg_logprob=one.avg_logprob,
        no_speech_prob=one.no_speech_prob,
        compression_ratio=one.compression_ratio,
        temperature=one.temperature,
    )
