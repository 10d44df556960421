"""Pictures and sound to try a face network on, when nobody is there yet: the same every time.

Knows the shapes of the contract. Pictures are soft blobs of colour with an edge and a little noise, as skin and
hair are; sound is a voice-like row of mel windows, put through the pack's own encoder.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COUNT = 3
_FEATURES, _AUDIO = 16, (32, 16, 16)
_MASK = (5 / 320, 310 / 320), (5 / 320, 315 / 320)

Floats = NDArray[np.float32]


def windows() -> Floats:
    """Mel windows for `COUNT` frames, `(COUNT * 16, 16, 80)`, -4..4: silence, a murmur, a loud voice."""
    rng = np.random.default_rng(7)
    bands = np.linspace(0, 1, 80)
    made = np.empty((COUNT, _FEATURES, 16, 80))
    for number, loudness in enumerate(np.linspace(-4, 2, COUNT)):
        formants = sum(2 * np.exp(-(((bands - at) / 0.08) ** 2)) for at in rng.uniform(0.05, 0.8, 4))
        made[number] = loudness - 2 * bands + formants + rng.normal(0, 0.3, (_FEATURES, 16, 80))
    return np.clip(made, -4, 4).astype(np.float32).reshape(-1, 16, 80)


def visuals(size: int) -> Floats:
    """`(COUNT, 6, size, size)`: a picture, and the same with its lower part black."""
    rng = np.random.default_rng(8)
    across = np.linspace(0, 1, size)
    y, x = across[:, None], across[None, :]
    (top, bottom), (left, right) = ((round(low * size), round(high * size)) for low, high in _MASK)
    made = np.empty((COUNT, 6, size, size), np.float32)
    for one in made:
        round_edge = np.hypot(x - 0.5, y - 0.5) < rng.uniform(0.25, 0.45)
        for channel in range(3):
            a, b, c = rng.uniform(1, 4, 3)
            soft = 0.15 * np.sin(a * 6 * x + c) * np.cos(b * 6 * y) + 0.5
            one[channel] = np.clip(soft + 0.3 * rng.normal() * round_edge + rng.normal(0, 0.02, x.shape), 0, 1)
        one[3:] = one[:3]
        one[3:, top:bottom, left:right] = 0
    return made


def audio_of(features: Floats) -> Floats:
    """Features `(COUNT * 16, 512)` as the network takes them, `(COUNT, 32, 16, 16)`."""
    return np.ascontiguousarray(features, np.float32).reshape(COUNT, *_AUDIO)
