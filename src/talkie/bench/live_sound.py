"""What each session of the live bench says: whole recordings one after the other, with pauses, at 16 kHz.

Every session begins with another recording, so that no two say the same at the same time. Where speech begins and ends
is as Silero hears it in the clean sound, before anything was measured: the same for whoever is measured. Knows nothing
of servers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from talkie.bench.recordings import Recording
from talkie.types import SAMPLE_RATE_HZ, Audio, Samples, Span

LEAD_S, PAUSE_S, TAIL_S = 0.6, 1.2, 1.0
"""Silence before the first recording, between two, and after the last: an utterance ends in the latter two."""
MAX_RECORDING_S = 20.0
"""Longer ones would make sessions of very different lengths."""
SPEECH = 0.5
"""From this probability on a window is speech, as Silero's authors set it."""
WINDOW_S = 512 / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Said:
    """One recording in its place; `span` is from its first sound of speech to its last."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The sound of one session. `probabilities` are Silero's, one a window of 32 ms."""

    samples: NDArray[np.int16]
    said: tuple[Said, ...]
    probabilities: NDArray[np.float32] = field(repr=False)
    language: str = "en"

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ

    @property
    def text(self) -> str:
        return " ".join(one.text for one in self.said)

    def pcm(self) -> bytes:
        """16 bits, little-endian."""
        return self.samples.astype("<i2").tobytes()

    def speech(self, span: Span) -> Span | None:
        """From the first to the last window of a stretch that is speech; None where there is none."""
        return speech_in(self.probabilities, span)


def speech_in(probabilities: NDArray[np.float32], span: Span) -> Span | None:
    first, last = max(0, int(span.start_s / WINDOW_S)), round(span.end_s / WINDOW_S)
    loud = np.flatnonzero(probabilities[first:last] >= SPEECH)
    if not len(loud):
        return None
    return Span((first + int(loud[0])) * WINDOW_S, (first + int(loud[-1]) + 1) * WINDOW_S)


def cuts(recordings: Sequence[Recording], count: int, seconds: float) -> list[Cut]:
    """One for each session, of about `seconds`: the recording that reaches it is still said to its end."""
    short = [one for one in recordings if one.seconds <= MAX_RECORDING_S]
    sounds = {one.path: sound_of(one.path) for one in short}
    turns = [len(short) * number // count if count < len(short) else number % len(short) for number in range(count)]
    return [_cut([*short[turn:], *short[:turn]], sounds, seconds) for turn in turns]


def _cut(recordings: Sequence[Recording], sounds: dict[Path, Samples], seconds: float) -> Cut:
    placed = list(_placed(recordings, sounds, seconds))
    end = placed[-1][0] + len(sounds[placed[-1][1].path])
    samples = np.zeros(end + round(TAIL_S * SAMPLE_RATE_HZ), np.float32)
    for start, one in placed:
        samples[start : start + len(sounds[one.path])] = sounds[one.path]
    probabilities = _probabilities(samples)
    said = []
    for start, one in placed:
        whole = Span(start / SAMPLE_RATE_HZ, (start + len(sounds[one.path])) / SAMPLE_RATE_HZ)
        said.append(Said(one.text, speech_in(probabilities, whole) or whole))
    shorts = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)
    return Cut(shorts, tuple(said), probabilities, recordings[0].language)


def _placed(
    recordings: Sequence[Recording], sounds: dict[Path, Samples], seconds: float
) -> Iterator[tuple[int, Recording]]:
    """The first sample of each recording."""
    at = round(LEAD_S * SAMPLE_RATE_HZ)
    for one in cycle(recordings):
        yield at, one
        at += len(sounds[one.path]) + round(PAUSE_S * SAMPLE_RATE_HZ)
        if at >= seconds * SAMPLE_RATE_HZ:
            return


def _probabilities(samples: Samples) -> NDArray[np.float32]:
    from talkie.engines.vad.silero import SileroDetector

    return SileroDetector().probabilities(Audio(samples))


def sound_of(path: Path) -> Samples:
    """A file at 16 kHz, its channels mixed."""
    import soundfile
    import soxr

    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE_HZ), np.float32)
