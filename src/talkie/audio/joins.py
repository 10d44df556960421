"""Pieces of speech put one after the other without a click: where speech begins and ends, fades, cross-fades, pauses.

Knows nothing of text or engines. A piece is mono `float32`; all pieces of one `Joiner` have one rate.
"""

from __future__ import annotations

import numpy as np

from talkie.types import Samples

FRAME_S = 0.005
QUIET_DB = -50.0
"""Of the loudest frame: soft consonants at the edges are 10 dB above it, breath and noise of engines below."""
SILENCE_RMS = 10 ** (-70 / 20)
"""What has no frame above it is silent, however quiet the rest of it is."""
BEFORE_S, AFTER_S = 0.015, 0.04
"""Kept beside what is loud: the onset of a consonant, and the end of a vowel's decay."""
FADE_S = 0.004
CROSS_FADE_S = 0.012


def loud(samples: Samples, sample_rate: int) -> tuple[int, int]:
    """Where speech begins and ends, in samples, with a little around it; `(0, 0)` where all is silent."""
    frame = max(1, round(FRAME_S * sample_rate))
    whole = -(-len(samples) // frame)
    padded = np.zeros(whole * frame, np.float32)
    padded[: len(samples)] = samples
    rms = np.sqrt(np.mean(np.square(padded.reshape(whole, frame), dtype=np.float32), axis=1)) if whole else padded
    above = np.flatnonzero(rms > max(SILENCE_RMS, float(rms.max(initial=0.0)) * 10 ** (QUIET_DB / 20)))
    if not len(above):
        return 0, 0
    start = int(above[0]) * frame - round(BEFORE_S * sample_rate)
    end = (int(above[-1]) + 1) * frame + round(AFTER_S * sample_rate)
    return max(0, start), min(len(samples), end)


def at_rate(samples: Samples, sample_rate: int, wanted: int) -> Samples:
    """The same sound at another rate (soxr, quality HQ)."""
    if sample_rate == wanted or not len(samples):
        return samples
    import soxr  # here, so that speech at its own rate never loads it

    return np.asarray(soxr.resample(samples, sample_rate, wanted, quality="HQ"), np.float32)


class Joiner:
    """One stream of sound made of pieces and pauses. What is returned is final; a few milliseconds stay behind after
    a piece that the next one may touch, to be cross-faded with it at equal power."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._fade = max(1, round(FADE_S * sample_rate))
        self._cross = max(1, round(CROSS_FADE_S * sample_rate))
        self._held: Samples = np.zeros(0, np.float32)
        self._given = 0

    @property
    def length(self) -> int:
        """Samples so far, what is held back among them."""
        return self._given + len(self._held)

    def add(self, samples: Samples, *, touched: bool) -> tuple[int, Samples]:
        """The place at which the piece begins, and what is ready. `touched`: the next follows without a pause."""
        overlap = min(len(self._held), len(samples) // 2)
        start = self.length - overlap
        joined = np.concatenate([self._held, samples[overlap:]]) if len(self._held) else samples.copy()
        if overlap:
            at = len(self._held) - overlap
            joined[at : at + overlap] = _mixed(joined[at : at + overlap], samples[:overlap])
        else:
            joined[: self._fade] *= _ramp(len(joined[: self._fade]))
        return start, self._keep(joined, self._cross if touched else 0)

    def pause(self, seconds: float) -> Samples:
        """Silence, after what was held back."""
        silence = np.zeros(max(0, round(seconds * self._rate)), np.float32)
        return np.concatenate([self.finish(), self._give(silence)]) if len(silence) else silence

    def finish(self) -> Samples:
        """What was held back, faded out."""
        held, self._held = self._faded_out(self._held), np.zeros(0, np.float32)
        return self._give(held)

    def _keep(self, joined: Samples, hold: int) -> Samples:
        if not hold:
            self._held = joined[:0]
            return self._give(self._faded_out(joined))
        ready, self._held = joined[:-hold], joined[-hold:]
        return self._give(ready)

    def _give(self, samples: Samples) -> Samples:
        self._given += len(samples)
        return samples

    def _faded_out(self, samples: Samples) -> Samples:
        faded = samples.copy()
        end = faded[-self._fade :] if len(faded) else faded
        end *= _ramp(len(end))[::-1]
        return faded


def _ramp(length: int) -> Samples:
    """From silence to full, with a level start and end, so that a fade makes no corner."""
    angle = np.pi * (np.arange(length) + 0.5) / max(1, length)
    return np.asarray(0.5 - 0.5 * np.cos(angle), np.float32)


def _mixed(ending: Samples, beginning: Samples) -> Samples:
    """Equal power: the two have nothing to do with each other, so their squares add up, not they."""
    angle = (np.arange(len(ending)) + 0.5) * (np.pi / 2 / max(1, len(ending)))
    return np.asarray(ending * np.cos(angle) + beginning * np.sin(angle), np.float32)
