"""The bank: thousands of short espeak-ng utterances, kept as log-mel powers with the exact times of their words.

Everything after this file works on mel powers, where mixing is an addition. No files but the bank are written.
"""

import multiprocessing
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from talkie.engines.tts.espeak_library import EspeakError, EspeakLibrary, Speech
from test_model.words import WORDS, random_digits, random_sentence, random_words

SAMPLE_RATE_HZ, HOP, FFT, MELS = 16_000, 160, 400, 80
Floats = npt.NDArray[np.float32]

ACCENTS = {
    "en-us": 4.0,
    "en-gb": 2.0,
    "en-gb-x-rp": 2.0,
    "en-us-nyc": 1.0,
    "en-gb-scotland": 1.0,
    "en-gb-x-gbclan": 1.0,
    "en-gb-x-gbcwmd": 0.7,
    "en-029": 0.7,
}
HELD_OUT_VARIANTS = ("f4", "m2", "m7", "Andrea", "Mike", "linda", "quincy", "boris")
# Whispers, monsters and robots, which no listener would call clear.
_ODD_VARIANTS = ("whisper", "whisperf", "croak", "Demonic", "Storm", "fast", "AnxiousAndy", "UniRobot", "anikaRobot")
_BABBLE_VOICES = (4, 8, 16)
BABBLES = len(_BABBLE_VOICES)  # the last of the noises


@dataclass
class Clip:
    """One utterance. Times are in frames of 10 ms."""

    log_mel: npt.NDArray[np.float16]  # (frames, 80), log10 of power
    words: list[tuple[int, float, float]]  # index in WORDS, start, end


def mel_filters() -> Floats:
    """Slaney's filters, as in Whisper: (80, 201)."""
    mels = np.linspace(0.0, 45.245640471924965, MELS + 2)
    hz = np.where(mels < 15.0, 200.0 / 3 * mels, 1000.0 * np.exp(np.log(6.4) / 27.0 * (mels - 15.0)))
    ramps = hz[:, None] - np.fft.rfftfreq(FFT, 1 / SAMPLE_RATE_HZ)[None, :]
    widths = np.diff(hz)
    rising, falling = -ramps[:-2] / widths[:-1, None], ramps[2:] / widths[1:, None]
    filters = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (hz[2:] - hz[:MELS]))[:, None]
    return np.asarray(filters, dtype=np.float32)


_FILTERS = mel_filters()
_HANN = np.hanning(FFT + 1)[:-1].astype(np.float32)


def mel_power(samples: Floats) -> Floats:
    """Mel powers (frames, 80) of mono samples at 16 kHz, framed as faster-whisper frames a whole file."""
    padded = np.pad(np.pad(samples, (0, HOP)), FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:-1]
    powers = np.abs(np.fft.rfft(frames * _HANN, axis=-1)) ** 2
    return np.asarray(powers.astype(np.float32) @ _FILTERS.T, dtype=np.float32)


def normalise(power: Floats, loudest: float | None = None) -> Floats:
    """Whisper's log scale; `loudest` is the log10 of the greatest power of the file where it is not in `power`."""
    logs = np.log10(np.maximum(power, 1e-10))
    top = float(logs.max()) if loudest is None else max(loudest, float(logs.max()))
    return np.asarray((np.maximum(logs, top - 8.0) + 4.0) / 4.0, dtype=np.float32)


def word_times(speech: Speech) -> list[tuple[float, float]]:
    """Start and end of each word in seconds, from the phonemes."""
    times: list[list[float]] = []
    spoken = False
    for event in speech.events:
        if spoken and event.kind in ("phoneme", "word", "end"):
            times[-1][1] = event.time_s
        if event.kind == "word":
            times.append([event.time_s, event.time_s])
            spoken = False
        elif event.kind == "phoneme":
            if event.phoneme and times and times[-1][0] == times[-1][1]:
                times[-1][0] = event.time_s
            spoken = bool(event.phoneme) and bool(times)
    return [(start, end) for start, end in times]


def random_text(rng: random.Random) -> list[str]:
    kind = rng.random()
    if kind < 0.42:
        return random_words(rng, 1) if rng.random() < 0.5 else random_digits(rng, 1)
    if kind < 0.72:
        return random_digits(rng, rng.choice((2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10)))
    return random_words(rng, rng.randint(2, 6)) if kind < 0.84 else random_sentence(rng)


class Speaker:
    """Says texts with a new voice each time."""

    def __init__(self, *, held_out: bool, seed: int) -> None:
        self.rng = random.Random(seed)
        self.library = EspeakLibrary()
        held = set(HELD_OUT_VARIANTS)
        self.variants = [
            name
            for name in self.library.variants()
            if (name in held) == held_out and name not in _ODD_VARIANTS and self._exists(name)
        ]
        self.accents, self.weights = list(ACCENTS), list(ACCENTS.values())

    def _exists(self, variant: str) -> bool:
        try:
            self.library.set_voice(f"en-us+{variant}")
        except EspeakError:
            return False
        return True

    def say(self, text: list[str], *, plain: bool = False) -> tuple[Floats, list[tuple[int, float, float]]]:
        """Samples at 16 kHz and words with times in seconds. `plain` keeps the voice's own pitch and length."""
        rng, library = self.rng, self.library
        library.set_voice(f"{rng.choices(self.accents, self.weights)[0]}+{rng.choice(self.variants)}")
        library.set_rate(rng.randint(120, 200) if plain else rng.randint(95, 250))
        library.set_pitch(50 if plain else rng.randint(5, 95))
        library.set_pitch_range(50 if plain else rng.randint(0, 100))
        library.set_word_gap(0 if plain or rng.random() < 0.8 else rng.randint(1, 8))
        speech = library.speak(" ".join(text))
        stretch = 1.0 if plain or rng.random() < 0.3 else float(np.exp(rng.uniform(np.log(0.85), np.log(1.2))))
        samples = speech.samples.astype(np.float32) / 32768
        resampled = soxr.resample(samples, speech.sample_rate_hz / stretch, SAMPLE_RATE_HZ).astype(np.float32)
        times = word_times(speech)
        if len(times) != len(text):
            raise ValueError(f"espeak-ng made {len(times)} words of {text}")
        words = [(WORDS.index(w), a * stretch, b * stretch) for w, (a, b) in zip(text, times, strict=True)]
        return resampled, words


def make_clip(samples: Floats, words: list[tuple[int, float, float]], rng: random.Random) -> Clip:
    """Cut to the words, with a little room, and scale to a common loudness."""
    start = max(0.0, words[0][1] - rng.uniform(0.0, 0.03))
    end = words[-1][2] + rng.uniform(0.0, 0.06)
    cut = samples[int(start * SAMPLE_RATE_HZ) : int(end * SAMPLE_RATE_HZ)]
    cut = cut / max(1e-4, float(np.sqrt(np.mean(cut**2)))) * 0.1
    logs = np.log10(np.maximum(mel_power(cut), 1e-10)).astype(np.float16)
    per_s = SAMPLE_RATE_HZ / HOP
    return Clip(logs, [(index, (a - start) * per_s, (b - start) * per_s) for index, a, b in words])


def _make_clips(arguments: tuple[int, int, bool]) -> list[Clip]:
    seed, count, held_out = arguments
    speaker = Speaker(held_out=held_out, seed=seed)
    clips: list[Clip] = []
    while len(clips) < count:
        try:
            samples, words = speaker.say(random_text(speaker.rng))
        except (ValueError, EspeakError):
            continue  # a voice that joins two words, or an accent that lacks the variant: try another
        clips.append(make_clip(samples, words, speaker.rng))
    return clips


def make_bank(count: int, seed: int, *, held_out: bool, processes: int = 2) -> Iterator[Clip]:
    """Clips in an order that depends on `count` and `seed` alone."""
    share = 500
    jobs = [(seed + index, min(share, count - index * share), held_out) for index in range(-(-count // share))]
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=8) as pool:
        for clips in pool.imap(_make_clips, jobs):
            yield from clips


def make_noises(bank: list[Clip], seed: int, seconds: int = 40) -> list[npt.NDArray[np.float16]]:
    """Log-mel powers of noises at the loudness of the clips: white, pink, brown, hum, babble."""
    rng = np.random.default_rng(seed)
    count = seconds * SAMPLE_RATE_HZ
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ), 20.0)
    waves = [np.fft.irfft(spectrum / hz**slope, count) for slope in (0.0, 0.5, 0.8, 1.0)]
    hum = sum(np.sin(2 * np.pi * 50 * k * np.arange(count) / SAMPLE_RATE_HZ) / k for k in range(1, 9))
    waves.append(np.asarray(hum) + 0.05 * rng.standard_normal(count))
    noises = [np.log10(mel_power((w / np.sqrt(np.mean(w**2)) * 0.1).astype(np.float32))) for w in waves]
    frames = noises[0].shape[0]
    for voices in _BABBLE_VOICES:
        sums = [np.concatenate([c.log_mel for c in _pick(bank, rng, frames)])[:frames] for _ in range(voices)]
        noises.append(np.log10(np.mean([10.0 ** s.astype(np.float32) for s in sums], axis=0)))
    return [noise.astype(np.float16) for noise in noises]


def _pick(bank: list[Clip], rng: np.random.Generator, frames: int) -> list[Clip]:
    clips: list[Clip] = []
    while sum(len(clip.log_mel) for clip in clips) < frames:
        clips.append(bank[int(rng.integers(len(bank)))])
    return clips


def save_bank(path: Path, clips: list[Clip]) -> None:
    words = [(number, *word) for number, clip in enumerate(clips) for word in clip.words]
    lengths = np.array([len(clip.log_mel) for clip in clips])
    part = path.with_suffix(".part.npz")
    np.savez(part, mel=np.concatenate([c.log_mel for c in clips]), lengths=lengths, words=np.array(words))
    part.rename(path)


def load_bank(path: Path) -> list[Clip]:
    with np.load(path) as data:
        mel: Any = data["mel"]
        ends = np.cumsum(data["lengths"])
        clips = [Clip(part, []) for part in np.split(mel, ends[:-1])]
        for number, index, start, end in data["words"]:
            clips[int(number)].words.append((int(index), float(start), float(end)))
    return clips
