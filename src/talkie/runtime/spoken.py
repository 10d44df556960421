"""Speech of the built-in voices, for engines that must hear some before they can round their numbers.

Used where nobody gives recordings of people: voices of several languages and kinds, quiet, loud and in noise. Knows
nothing of the engines that listen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from talkie.audio.resample import StreamResampler
from talkie.engines import registry
from talkie.engines.base import SynthesizeOptions, Synthesizer
from talkie.types import SAMPLE_RATE_HZ, Samples

WINDOW_S = 30
SEED = 9


@dataclass(frozen=True, slots=True)
class _Speaker:
    """`level` is the loudest sample, `noise` that of the noise behind it, 0..1."""

    voice: str
    speed: float
    level: float
    noise: float
    text: str


_EN = (
    "The ship sailed at four in the morning, with seven men on board and a letter for the harbour master. "
    "Would you please open the window? It is far too warm in here, and I think I can hear the children outside. "
    "In the year nineteen sixty eight the price of bread rose by twelve percent, which nobody had expected. "
)
_DE = (
    "Guten Morgen, hier spricht die Auskunft; bitte nennen Sie mir Ihren Namen und Ihre Kundennummer. "
    "Der Zug nach Hamburg fährt heute von Gleis zwölf, etwa fünfzehn Minuten später als geplant. "
)
_FR = (
    "Bonjour, je voudrais réserver une table pour quatre personnes, demain soir vers huit heures. "
    "Les enfants jouaient dans le jardin pendant que leur grand-mère préparait le dîner. "
)
_ES = (
    "Buenas tardes, la reunión empezará a las cinco y media en la sala grande del segundo piso. "
    "El viento soplaba con fuerza y las ventanas de la vieja casa no dejaban de golpear. "
)
SPEAKERS = (
    _Speaker("en-us+klatt4", 1.0, 0.9, 0.0, _EN),
    _Speaker("en-gb+f4", 1.1, 0.3, 0.01, _EN),
    _Speaker("de+m3", 0.9, 0.6, 0.0, _DE),
    _Speaker("fr-fr+f1", 1.0, 0.8, 0.05, _FR),
    _Speaker("es+m1", 1.2, 0.1, 0.002, _ES),
    _Speaker("en-us+m7", 1.3, 1.0, 0.1, _EN),
    _Speaker("de+f1", 1.1, 0.05, 0.001, _DE),
    _Speaker("en-us+f1", 0.8, 0.5, 0.02, _EN),
)


def spoken_windows() -> Iterator[Samples]:
    """One window of 30 s at 16 kHz for each of `SPEAKERS`; the last third of a window is often pause and noise."""
    generator = np.random.default_rng(SEED)
    voice: Synthesizer = registry.load("espeak")()
    try:
        for speaker in SPEAKERS:
            yield _window(voice, speaker, generator)
    finally:
        voice.close()


def speak(voice: Synthesizer, text: str, options: SynthesizeOptions) -> Samples:
    """What a voice makes of a text, at 16 kHz."""
    resampler = StreamResampler()
    chunks = voice.synthesize(text, options)
    return np.concatenate([*(resampler.feed(one.samples, one.sample_rate) for one in chunks), resampler.finish()])


def _window(voice: Synthesizer, speaker: _Speaker, generator: np.random.Generator) -> Samples:
    window = np.zeros(WINDOW_S * SAMPLE_RATE_HZ, np.float32)
    speech = speak(voice, speaker.text * 2, SynthesizeOptions(voice=speaker.voice, speed=speaker.speed))[: len(window)]
    window[: len(speech)] = speech * (speaker.level / max(float(np.abs(speech).max(initial=0.0)), 1e-6))
    window += generator.standard_normal(len(window), dtype=np.float32) * np.float32(speaker.noise / 3)
    return window
