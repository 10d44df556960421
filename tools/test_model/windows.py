"""Training windows: clips laid out in time, spoilt as rooms and telephones spoil them, with every label known.

Works on mel powers. Times inside a window are in encoder frames of 20 ms unless a name says otherwise.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from test_model.labels import FULL_FRAMES, Segment, Window
from test_model.speech import BABBLES, MELS, Clip, Floats, mel_power, normalise
from test_model.words import DIGITS

SEGMENT_GAP_S = 0.5  # words closer than this share a segment


@dataclass(frozen=True)
class Bank:
    """Clips by kind: of one word or of several; of digits alone or of any words."""

    clips: list[Clip]
    noises: list[npt.NDArray[np.float16]]

    @cached_property
    def kinds(self) -> dict[tuple[bool, bool], npt.NDArray[np.int64]]:
        """Numbers of clips, by (of several words, of digits alone); the second kind is in the first as well."""
        several = np.array([len(clip.words) > 1 for clip in self.clips])
        digits = np.array([all(index < len(DIGITS) for index, _, _ in clip.words) for clip in self.clips])
        choices = [(many, only) for many in (False, True) for only in (False, True)]
        return {(many, only): np.flatnonzero((several == many) & (digits | (not only))) for many, only in choices}


def transform(
    clip: Clip, noises: list[npt.NDArray[np.float16]], rng: np.random.Generator
) -> tuple[Floats, list[tuple[int, float, float]]]:
    """The clip's powers as another speaker might have said it, and its words at their new times."""
    rows, before, after = _time_map(len(clip.log_mel), rng)
    mel = _voice(clip.log_mel[rows].astype(np.float32), rng)
    power = 10.0 ** (mel + rng.uniform(-0.4, 0.4))
    if rng.random() < 0.2:  # a recording with a noise of its own
        power = power + noise_power(noises, len(power), rng.uniform(10, 40), rng)
    first = int(rng.integers(0, 6)) if rng.random() < 0.1 else 0  # a start cut off
    times = [(i, *np.interp((a, b), before, after)) for i, a, b in clip.words]
    words = [(i, max(0.0, float(a) - first), float(b) - first) for i, a, b in times]
    return np.asarray(power[first:], dtype=np.float32), words


def cut_start(
    power: Floats, words: list[tuple[int, float, float]], first: int
) -> tuple[Floats, list[tuple[int, float, float]]]:
    """What is left from the frame `first` on; a word counts where most of it is left."""
    kept = [(i, max(0.0, a - first), b - first) for i, a, b in words if b - first > 0.7 * (b - a)]
    return power[first:], kept


def _time_map(frames: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Rows to take, and knots of time before and after: another rate, which sways a little."""
    stretch = 1.0 if rng.random() < 0.3 else float(np.exp(rng.uniform(-0.22, 0.22)))
    knots = max(2, frames // 20 + 1)
    before = np.linspace(0, frames, knots + 1, dtype=np.float32)
    sway = np.exp(rng.normal(0, 0.15 if rng.random() < 0.6 else 0.0, knots))
    after = np.concatenate([[0.0], np.cumsum(sway)])
    after *= frames * stretch / after[-1]
    wanted = max(4, round(frames * stretch))
    rows = np.clip(np.interp(np.arange(wanted) + 0.5, after, before).astype(np.int64), 0, frames - 1)
    return rows, before, after.astype(np.float32)


def _voice(mel: Floats, rng: np.random.Generator) -> Floats:
    """Another vocal tract, another contrast, another sharpness."""
    if rng.random() < 0.7:
        columns = np.clip(np.arange(MELS) * np.exp(rng.uniform(-0.13, 0.13)), 0, MELS - 1)
        low = np.minimum(columns.astype(int), MELS - 2)
        part = (columns - low).astype(np.float32)
        mel = mel[:, low] * (1 - part) + mel[:, low + 1] * part
    if rng.random() < 0.4:
        top = mel.max()
        mel = top + (mel - top) * np.float32(rng.uniform(0.7, 1.2))
    if rng.random() < 0.25:
        mel = 0.5 * mel + 0.25 * (np.roll(mel, 1, axis=1) + np.roll(mel, -1, axis=1))
    if rng.random() < 0.15:
        mel = 0.5 * mel + 0.25 * (np.roll(mel, 1, axis=0) + np.roll(mel, -1, axis=0))
    return mel


def noise_power(noises: list[npt.NDArray[np.float16]], frames: int, snr_db: float, rng: np.random.Generator) -> Floats:
    noise = noises[int(rng.integers(len(noises)))]
    rows = (int(rng.integers(0, len(noise))) + np.arange(frames)) % len(noise)
    return np.asarray(10 ** (noise[rows].astype(np.float32) - snr_db / 10), dtype=np.float32)


class Composer:
    """Makes windows from a bank, the same ones for the same seed."""

    def __init__(self, bank: Bank, seed: int) -> None:
        self.bank = bank
        self.rng = np.random.default_rng(seed)

    def window(self, frames: int) -> Window:
        """A window of `frames` of 10 ms; one of 3000 is padded as a file's last window is."""
        rng = self.rng
        full = frames == FULL_FRAMES
        limit = self._content_frames(frames)
        power, segments = self._silence(limit) if rng.random() < 0.06 else self._speech(limit, full=full)
        power = self._spoil(power)
        loudest = None
        if rng.random() < 0.2:
            loudest = float(np.log10(max(float(power.max()), 1e-10)) + rng.uniform(0, 1))
        mel = normalise(power, loudest)
        # faster-whisper pads the features with zeros, others pad the sound with silence.
        fill = 0.0 if rng.random() < 0.8 else float(mel.min())
        features = np.full((MELS, frames), fill, np.float32)
        features[:, : len(mel)] = mel.T
        offset = 0
        if not full and rng.random() < 0.75:
            offset = int(rng.integers(0, (FULL_FRAMES - frames) // 2 + 1))
        return Window(features, segments, offset)

    def _content_frames(self, frames: int) -> int:
        rng = self.rng
        if frames < FULL_FRAMES:
            return frames if rng.random() < 0.6 else int(rng.integers(frames // 3, frames + 1))
        if rng.random() < 0.35:
            return frames
        return int(np.clip(np.exp(rng.normal(np.log(650), 0.7)), 100, frames))

    def _silence(self, frames: int) -> tuple[Floats, list[Segment]]:
        return np.zeros((frames, MELS), np.float32), []

    def _speech(self, frames: int, *, full: bool) -> tuple[Floats, list[Segment]]:
        rng = self.rng
        power = np.zeros((frames, MELS), np.float32)
        segments: list[Segment] = []
        cursor = int(rng.choice([rng.uniform(0, 30), rng.uniform(20, 120), rng.exponential(150)], p=[0.55, 0.3, 0.15]))
        digits = bool(rng.random() < 0.5)  # digits keep company with digits, as in numbers
        while cursor < frames - 30 and len(segments) < 14:
            # A window that begins where another ended may begin within a sentence.
            late = rng.uniform(0.1, 0.8) if not segments and rng.random() < 0.12 else 0.0
            start = int(rng.integers(0, 3)) if late else cursor
            cut = full and frames == FULL_FRAMES
            segment, end = self._segment(power, start, cut=cut, digits=digits, late=late)
            if not segment.words:
                break
            segments.append(segment)
            gap = rng.uniform(SEGMENT_GAP_S, 1.3) if rng.random() < 0.8 else rng.uniform(1.3, 4.0)
            cursor = int(end + gap * 100) + 1
            if segment.cut or rng.random() < 0.04:
                break
        if segments:  # no more than a second after the last word, mostly
            last = int(segments[-1].words[-1][2] * 2)
            if rng.random() < 0.7:
                power = power[: min(frames, last + int(rng.integers(0, 100)) + 2)]
        return power, segments

    def _segment(self, power: Floats, cursor: int, *, cut: bool, digits: bool, late: float) -> tuple[Segment, float]:
        """Lay one segment from `cursor` on; clips that go over the end are cut there or left out.

        `late` is the part of the first clip that was over before the window began.
        """
        rng = self.rng
        segment, end = Segment(), float(cursor)
        phrase = rng.random() < 0.55
        wanted = 1 if phrase else int(rng.choice([1, 2, 3, 4, 5, 6, 8, 10]))
        slow = rng.uniform(0.05, 0.3)
        while wanted > 0:
            wanted -= 1
            number = int(rng.choice(self.bank.kinds[phrase, digits]))
            clip, words = transform(self.bank.clips[number], self.bank.noises, rng)
            if late and not segment.words:
                clip, words = cut_start(clip, words, int(late * len(clip)))
            if not words:
                break
            room = len(power) - cursor
            if len(clip) > room and not cut:
                break
            length = min(len(clip), room)
            power[cursor : cursor + length] += clip[:length]
            heard = [(i, (cursor + a) / 2, (cursor + b) / 2) for i, a, b in words if b <= room + 2]
            segment.words += heard
            segment.cut = len(clip) > room
            end = cursor + words[-1][2]
            cursor = int(end + rng.uniform(0.01, slow) * 100)
            if segment.cut or cursor >= len(power):
                break
        return segment, end

    def _spoil(self, power: Floats) -> Floats:
        rng = self.rng
        if rng.random() < 0.35:
            decay = 10 ** (-6 / (100 * rng.uniform(0.15, 0.6)))
            tail = lfilter([0.0, rng.uniform(0.01, 0.15)], [1.0, -decay], power, axis=0)
            power = power + tail
        if rng.random() < 0.5:
            knots = rng.normal(0, 0.5, 6)
            power = power * 10 ** np.interp(np.arange(MELS), np.linspace(0, MELS - 1, 6), knots)
        telephone = rng.random() < 0.4
        noisy = rng.random() < 0.65 or not power.any()
        if telephone:
            power = power * self._telephone_band()
        if noisy and not (not power.any() and rng.random() < 0.2):
            power = power + self._noise(len(power), quiet=not power.any())
            if telephone and rng.random() < 0.5:
                power = power * self._telephone_band()
        return np.asarray(power * 10 ** rng.uniform(-2, 1), dtype=np.float32)

    def _noise(self, frames: int, *, quiet: bool) -> Floats:
        noises = self.bank.noises[:-BABBLES] if quiet else self.bank.noises
        snr_db = self.rng.uniform(-10, 60) if quiet else self.rng.uniform(6, 45)
        return noise_power(noises, frames, snr_db, self.rng)

    def _telephone_band(self) -> Floats:
        rng = self.rng
        band = np.ones(MELS, np.float32)
        band[: int(rng.integers(0, 8))] = 10 ** rng.uniform(-4, -1)
        high = int(rng.choice([rng.integers(44, 50), rng.integers(50, 54), rng.integers(54, 66)]))
        band[high:] = 10 ** rng.uniform(-8, -3)
        return band


def features_of(samples: Floats) -> Floats:
    """(80, 3000) as faster-whisper makes them of a file shorter than 30 s."""
    mel = normalise(mel_power(samples)).T[:, :FULL_FRAMES]
    return np.pad(mel, ((0, 0), (0, FULL_FRAMES - mel.shape[1])))
