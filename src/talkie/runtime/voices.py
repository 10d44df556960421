"""From a recording to a voice that can be imitated: decoded, looked at, and kept as 24 kHz.

Knows nothing of where voices lie (`models/voice_store.py`) or which engine imitates them. Nothing of a recording that
is refused is kept.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

import numpy as np

from talkie.audio.decode import AudioLimits, open_audio
from talkie.audio.encode import encode_wav
from talkie.audio.resample import StreamResampler
from talkie.errors import AudioTooLong, InvalidValue
from talkie.types import Audio, Samples

if TYPE_CHECKING:
    from talkie.engines.base import VoiceActivityDetector

REFERENCE_HZ = 24_000
MIN_S, MAX_S = 3.0, 30.0
MAX_BYTES = 32_000_000
MIN_SPEECH_S = 2.0
"""Less speech than this says too little of a voice."""
SPEECH_AT = 0.5
WINDOW_S = 0.032
QUIET_LEVEL, LOUD_LEVEL = 0.003, 0.89
"""Root mean square of the speech under which a recording is too quiet (-50 dBFS); the peak it is brought to."""
CLIPPED_SHARE = 0.02
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")


def reference(recording: IO[bytes], detector: VoiceActivityDetector) -> tuple[bytes, float]:
    """The recording as a mono WAV, and its length in seconds. Raises `AudioError`, `InvalidValue` saying what is wrong
    with it."""
    samples = _decoded(recording)
    seconds = len(samples) / REFERENCE_HZ
    if seconds < MIN_S:
        raise _wrong(f"It is {seconds:.1f} seconds long; {MIN_S:g} to {MAX_S:g} are wanted.")
    probabilities = detector.probabilities(Audio(_at_16k(samples)))
    spoken = probabilities >= SPEECH_AT
    if spoken.sum() * WINDOW_S < MIN_SPEECH_S:
        raise _wrong(f"There are {spoken.sum() * WINDOW_S:.1f} seconds of speech in it; {MIN_SPEECH_S:g} are needed.")
    level = _speech_level(samples, spoken)
    if level < QUIET_LEVEL:
        raise _wrong("The speech in it is too quiet.")
    peak = float(np.abs(samples).max())
    if np.mean(np.abs(samples) >= 0.999) > CLIPPED_SHARE:
        raise _wrong("It is overdriven: much of it is as loud as can be.")
    return encode_wav(samples * np.float32(min(1.0, LOUD_LEVEL / peak)), REFERENCE_HZ), seconds


def check_language(language: str) -> None:
    """Raises `InvalidValue`."""
    if not _LANGUAGE.fullmatch(language):
        raise InvalidValue("language", "The language is a code, such as en or pt-br.")


def _decoded(recording: IO[bytes]) -> Samples:
    limits = AudioLimits(max_seconds=MAX_S, max_bytes=MAX_BYTES)
    try:
        with open_audio(recording, limits=limits, sample_rate=REFERENCE_HZ) as stream:
            return np.concatenate(list(stream.blocks()))
    except AudioTooLong:
        raise _wrong(f"It is longer than {MAX_S:g} seconds.") from None


def _at_16k(samples: Samples) -> Samples:
    resampler = StreamResampler()
    return np.concatenate([resampler.feed(samples, REFERENCE_HZ), resampler.finish()])


def _speech_level(samples: Samples, spoken: np.ndarray) -> float:
    """Root mean square of the windows in which somebody speaks."""
    window = round(WINDOW_S * REFERENCE_HZ)
    whole = samples[: len(samples) // window * window].reshape(-1, window)
    heard = whole[spoken[: len(whole)]]
    return float(np.sqrt(np.mean(np.square(heard, dtype=np.float64)))) if len(heard) else 0.0


def _wrong(why: str) -> InvalidValue:
    return InvalidValue(
        "recording",
        f"The recording cannot be used as a voice. {why}",
        hint="One person, near the microphone, in quiet.",
    )
